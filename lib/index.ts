// The public API of wsbench. The command line uses nothing else to run things.
export { type ErrorCode, WsbenchError } from './errors.ts';
export type * from './result/result.ts';
