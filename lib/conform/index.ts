// Conformance: Autobahn's 517 cases as tables, how they are run, and how they are judged.
export type { Case, Role, Section } from './case.ts';
export { allCases, sections } from './cases.ts';
export type { AgentPlan, ConformConnect, ConformPlan, Strictness } from './plan.ts';
export { runConform } from './run.ts';
