// From verdicts to the outcome of a run: what each is against what was expected, what fails the run, and nothing secret. Pure.
import { redactText } from '../result/redact.ts';
import type {
  AgentRecord,
  ConformResult,
  FailOn,
  Reason,
  VerdictRecord,
  WireRecord,
} from '../result/result.ts';
import { compareCaseIds, failsRun, isSpotless, verdictWords } from '../result/verdicts.ts';
import { type Expectations, judgeExpected } from './expectations.ts';

/** What verdicts are judged by, beside themselves. */
export interface Conclusion {
  failOn: FailOn;
  /** What is expected of a server; undefined when nothing is. */
  expected?: (agent: string) => Expectations;
  /** The command that repeats cases of a server, by its name; an id is added. Left out: what stands there stays. */
  reproduce?: (agent: string) => string;
}

const idsShown = 8;

/** A verdict as it is reported. */
export function concludeVerdict(
  agent: string,
  verdict: VerdictRecord,
  { failOn, expected, reproduce }: Conclusion,
): VerdictRecord {
  const { against: _, ...bare } = verdict;
  const against = againstOf(bare, expected?.(agent), failOn);
  const judged: VerdictRecord = { ...bare, ...(against === undefined ? {} : { against }) };
  const isPlain = isSpotless(judged) && !failsRun(judged, failOn);
  return {
    ...judged,
    ...(isPlain || !reproduce ? {} : { reproduce: `${reproduce(agent)} ${verdict.caseId}` }),
    ...(verdict.wire === undefined ? {} : { wire: verdict.wire.map(maskWire) }),
  };
}

/** Where a case ran several times, the worst of its verdicts counts. */
function againstOf(
  verdict: VerdictRecord,
  expected: Expectations | undefined,
  failOn: FailOn,
): VerdictRecord['against'] {
  const expectation = expected?.get(verdict.caseId);
  const sides = [verdict, ...(verdict.flaky ?? [])].map((one) => judgeExpected(one, expectation, failOn));
  return (['worse', 'as-expected', 'better'] as const).find((side) => sides.includes(side));
}

/** Bytes in which a secret stands are not shown at all: their text says what is in them. */
function maskWire(record: WireRecord): WireRecord {
  const { hex, ...rest } = record;
  const text = redactText(record.text);
  if (hex === undefined) return { ...rest, text };
  const bytes = Buffer.from(hex.replace(/[^\da-f]/gi, ''), 'hex').toString('latin1');
  return redactText(bytes) === bytes && text === record.text ? record : { ...rest, text };
}

/** The result with its verdicts concluded, and the reasons and the outcome that follow from them. */
export function concludeResult(result: ConformResult, conclusion: Conclusion): ConformResult {
  const agents = result.agents.map((agent) => ({
    ...agent,
    verdicts: agent.verdicts
      .map((verdict) => concludeVerdict(agent.name, verdict, conclusion))
      .sort((one, other) => compareCaseIds(one.caseId, other.caseId)),
  }));
  const reasons = [
    ...result.reasons.filter(({ code }) => code !== 'verdict'),
    ...agents.flatMap((agent) => {
      const where = agents.length > 1 ? `${agent.name}: ` : '';
      return [
        ...reasonOf(agent.verdicts, where, conclusion.failOn),
        ...(wasGivenUp(agent, result) ? [notRunReason(agent, where)] : []),
      ];
    }),
  ];
  const isOwn = result.outcome === 'interrupted' || result.outcome === 'inconclusive';
  return {
    ...result,
    agents,
    reasons,
    outcome: isOwn ? result.outcome : reasons.length > 0 ? 'failed' : 'passed',
  };
}

/** Cases did not run, and neither an interrupt nor a server that was never reached says so already. */
function wasGivenUp({ url, notRun }: AgentRecord, { outcome, reasons }: ConformResult): boolean {
  const isTold = reasons.some(
    ({ code, message }) => code === 'unreachable' && message.startsWith(`${url}: `),
  );
  return notRun !== undefined && outcome !== 'interrupted' && !isTold;
}

function notRunReason({ notRun }: AgentRecord, where: string): Reason {
  const count = notRun?.caseIds.length ?? 0;
  return { code: 'verdict', message: `${where}${count} cases were not run: ${notRun?.reason ?? ''}` };
}

function reasonOf(verdicts: readonly VerdictRecord[], where: string, failOn: FailOn): Reason[] {
  const failed = verdicts.filter((verdict) => failsRun(verdict, failOn));
  const [first] = failed;
  if (!first) return [];
  if (failed.length === 1) {
    const worse = first.against === 'worse' ? ', worse than expected' : '';
    return [{ code: 'verdict', message: `${where}${first.caseId}: ${verdictWords(first)}${worse}` }];
  }
  const ids = failed.slice(0, idsShown).map(({ caseId }) => caseId);
  const more = failed.length > ids.length ? ', …' : '';
  const what = failed.every(({ against }) => against === 'worse') ? 'are worse than expected' : 'failed';
  const message = `${where}${failed.length} of ${verdicts.length} cases ${what}: ${ids.join(', ')}${more}`;
  return [{ code: 'verdict', message }];
}
