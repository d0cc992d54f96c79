// The public API of wsbench. The command line uses nothing else to run things.
export {
  createServer,
  type ReferenceServer,
  type ServerOptions,
} from '../reference-server/index.ts';
export { type CompareOptions, compareResults } from './compare/compare.ts';
export type * from './compare/comparison.ts';
export type { Strictness } from './conform/index.ts';
export { conform, updatedExpectations } from './conform.ts';
export { type CaseInfo, type ConformAgent, type ConformOptions, listCases } from './conform-options.ts';
export { type Client, type ClientEvent, type ClientOptions, connect } from './connect.ts';
export type * from './doctor/report.ts';
export { type DoctorControl, type DoctorOptions, doctor } from './doctor.ts';
export type { EmbeddedLimits } from './embedded.ts';
export { type ErrorCode, WsbenchError } from './errors.ts';
export { recoverRun } from './load/index.ts';
export type { TimeStats } from './metrics/histogram.ts';
export type * from './metrics/names.ts';
export type { Series } from './metrics/series.ts';
export { type CheckInfo, listChecks, type QuickOptions, quick } from './quick.ts';
export type * from './result/events.ts';
export { exitCode } from './result/exit-code.ts';
export { mergeResults, type Shard } from './result/merge.ts';
export { parseResult } from './result/parse.ts';
export type * from './result/result.ts';
export type { StressScenario } from './scenario/scenario.ts';
export { type StormOptions, storm, stormPlan } from './storm.ts';
export { stress } from './stress.ts';
export { resolveStress, type StressOptions } from './stress-options.ts';
export type { ConnectOptions, TargetServer } from './target-options.ts';
export { mintToken, type SigningKey, type TokenOptions } from './token.ts';
export { type ValidatedFile, validateFile } from './validate.ts';
export { type FileIssue, issueLine } from './yaml.ts';
