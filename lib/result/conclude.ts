// What a load came to: its reasons, and the outcome that follows. The only place that concludes a stress result, of a run and
// of shards that were merged.
import { brokenIdentities } from '../metrics/counters.ts';
import type { Counters } from '../metrics/names.ts';
import { describeThreshold } from './describe-threshold.ts';
import { decidingReason } from './exit-code.ts';
import type {
  FailureRecord,
  GeneratorRecord,
  Outcome,
  Reason,
  ReasonCode,
  ThresholdRecord,
} from './result.ts';

/** What is concluded from. */
export interface Findings {
  /** What already is to be said against the load. */
  reasons: readonly Reason[];
  /** Counters and the connections that are still open: of the whole, and of its parts where there are several. */
  books: readonly { of: string; counters: Counters; open: number }[];
  /** There was a measure phase. */
  measured: boolean;
  generator: Pick<GeneratorRecord, 'limited' | 'reasons' | 'advice'>;
  failures: readonly FailureRecord[];
  /** Who stopped it, if somebody did. */
  interruption?: Reason | undefined;
  thresholds: readonly ThresholdRecord[];
  /** The threshold that ended the run, which is among the reasons. */
  abortedBy?: string | undefined;
  timeoutMs: number;
}

const outcomes: Record<ReasonCode, Outcome> = {
  bug: 'inconclusive',
  'target-description': 'failed',
  'generator-limited': 'inconclusive',
  'generator-resources': 'inconclusive',
  'lost-worker': 'inconclusive',
  sigint: 'interrupted',
  sigterm: 'interrupted',
  aborted: 'interrupted',
  killed: 'interrupted',
  unreachable: 'failed',
  threshold: 'failed',
  check: 'failed',
  verdict: 'failed',
};

/** The reasons why a load did not simply pass, and its outcome. Pure. */
export function conclude(findings: Findings): { outcome: Outcome; reasons: Reason[] } {
  const { generator, measured, failures, interruption, thresholds, abortedBy, timeoutMs } = findings;
  const reasons: Reason[] = [...findings.reasons];
  const broken = findings.books.flatMap(({ of, counters, open }) =>
    brokenIdentities(counters, open).map((words) => (of === '' ? words : `${of}: ${words}`)),
  );
  if (broken.length > 0) {
    reasons.push({ code: 'bug', message: `the books do not balance: ${broken.join('; ')}` });
  }
  if (measured && generator.limited) {
    const message = [...generator.reasons, ...generator.advice].join('; ');
    reasons.push({ code: 'generator-limited', message });
  }
  const resources = failures.find((record) => record.kind === 'resources');
  if (resources) {
    const message = [resources.detail, resources.hint].filter(Boolean).join(': ');
    reasons.push({ code: 'generator-resources', message });
  }
  if (interruption) reasons.push(interruption);
  for (const threshold of thresholds) {
    // The one that ended the run is told already.
    if (threshold.ok || threshold.expression === abortedBy) continue;
    reasons.push({ code: 'threshold', message: describeThreshold(threshold, timeoutMs) });
  }
  const deciding = decidingReason({ reasons });
  return { outcome: deciding ? outcomes[deciding.code] : 'passed', reasons };
}
