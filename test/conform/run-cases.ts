// Runs conformance cases to their end.
import { allCases, type ConformPlan, runConform } from '../../lib/conform/index.ts';
import type { RunEvent } from '../../lib/result/events.ts';
import type { ConformResult, VerdictRecord } from '../../lib/result/result.ts';

/** What a run can be told; everything else is as a user has it. */
export type RunOptions = Partial<Omit<ConformPlan, 'agents' | 'caseIds'>> & {
  signal?: AbortSignal;
  onEvent?: (event: RunEvent) => void;
};

/** The ids that patterns of Autobahn's kind name: `6.4.*`, `12.1.3`, `7` or `*`. */
export function idsOf(...patterns: string[]): string[] {
  const names = (pattern: string, id: string): boolean =>
    pattern === '*' || id === pattern || id.startsWith(`${pattern.replace(/\.?\*$/, '')}.`);
  return allCases.map(({ id }) => id).filter((id) => patterns.some((pattern) => names(pattern, id)));
}

/** Runs cases against one server. */
export async function runCases(
  url: string,
  caseIds: readonly string[],
  options: RunOptions = {},
): Promise<ConformResult> {
  const { signal = new AbortController().signal, onEvent, ...plan } = options;
  const run = runConform(
    {
      agents: [{ name: 'server', connect: { url, headers: [], subprotocols: [] } }],
      caseIds,
      strictness: 'autobahn',
      failOn: 'failed',
      messages: 100,
      jobs: 'auto',
      repeat: 1,
      reproduceBase: `wsbench conform ${url}`,
      version: '0.0.0',
      ...plan,
    },
    signal,
  );
  for (;;) {
    const next = await run.next();
    if (next.done) return next.value;
    onEvent?.(next.value);
  }
}

/** The verdicts of a result's only server. */
export function verdictsOf(result: ConformResult): readonly VerdictRecord[] {
  return result.agents[0]?.verdicts ?? [];
}

/** A verdict in one word. */
export const wordOf = ({
  behavior,
  behaviorClose,
}: Pick<VerdictRecord, 'behavior' | 'behaviorClose'>): string => `${behavior}/${behaviorClose}`;

/** Cases in which an echo and a close overtake one another: OK and NON-STRICT are one verdict there. */
export const racy: ReadonlySet<string> = new Set(
  '3.2 3.3 3.4 4.1.3 4.1.4 4.1.5 4.2.3 4.2.4 4.2.5 5.15'.split(' '),
);

/** All verdicts as `id verdict`, with the racy ones as one. */
export function linesOf(result: ConformResult): string[] {
  return verdictsOf(result).map((verdict) => {
    const word = racy.has(verdict.caseId) ? wordOf(verdict).replace('NON-STRICT', 'OK') : wordOf(verdict);
    return `${verdict.caseId} ${word}`;
  });
}
