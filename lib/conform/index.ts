// Conformance: Autobahn's 517 cases as tables, how they are run, and how they are judged.
export type { Case } from './case.ts';
export { allCases } from './cases.ts';
export type { AgentPlan, ConformPlan, Strictness } from './plan.ts';
export { runConform } from './run.ts';
