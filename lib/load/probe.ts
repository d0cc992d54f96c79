// The one message before the load: does the target answer as its description says?
import { closeAdvice, describeClose } from '../cause/close-code.ts';
import { redactText } from '../result/redact.ts';
import type { CloseRecord, Reason, Warning } from '../result/result.ts';
import { presetAdvice, presetOfClose, presetOfMessage } from '../target/recognise.ts';
import type { ProbeReport } from './engine-contract.ts';
import type { StressPlan } from './plan.ts';

/** What the probe found against the target: a reason stops the run, a warning does not. */
export interface ProbeVerdict {
  reason?: Reason;
  warning?: Warning;
}

/** Judges what became of the probe. */
export function judgeProbe(
  plan: StressPlan,
  { probe, unexpectedSample, close, violation }: ProbeReport,
): ProbeVerdict {
  if (probe === 'rejected') {
    const message = 'the target refused the probe message before the load began';
    return { warning: { code: 'probe-rejected', message } };
  }
  // Who named a description knows that the target may be silent: what is lost will be counted.
  if (probe === 'answered' || plan.targetKnown) return {};
  return {
    reason: { code: 'target-description', message: describeTarget(plan, unexpectedSample, close, violation) },
  };
}

function withAdvice(code: number): string {
  const advice = closeAdvice(code);
  return `${describeClose(code)}${advice === undefined ? '' : `; ${advice}`}`;
}

/** Why the probe was not answered, as far as one can see, and what to do about it. */
function describeTarget(
  plan: StressPlan,
  sample: string | undefined,
  close: CloseRecord | undefined,
  violation: string | undefined,
): string {
  const preset =
    (sample === undefined ? undefined : presetOfMessage(sample)) ??
    (close === undefined ? undefined : presetOfClose(close.code));
  let seen = `nothing came within ${plan.timeoutMs} ms`;
  if (violation !== undefined) seen = `it broke the protocol: ${violation}`;
  // One advice is enough: that of the preset says more.
  else if (close) seen = `it ended the connection: ${(preset ? describeClose : withAdvice)(close.code)}`;
  if (sample !== undefined) {
    const text = redactText(sample);
    const shown = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
    seen = `it sent ${JSON.stringify(shown)}, which answers nothing`;
  }
  const advice =
    preset === undefined
      ? 'say how it talks with --preset, --target (docs/targets.md) or --match, or --no-reply if it never answers'
      : presetAdvice(preset);
  return `the target did not answer the probe ${awaited(plan.target)}: ${seen}; ${advice}`;
}

/** How the answer to the probe would have been known. */
function awaited({ match, echoes }: StressPlan['target']): string {
  // What is assumed of a target that nobody described, unless --match says otherwise.
  if (echoes) return 'with an echo';
  switch (match.by) {
    case 'pong':
      return 'with a pong';
    case 'order':
      return 'with any message';
    case 'id':
      return `with JSON that has its id at ${match.pointer}`;
    case 'regex':
      return `with a text in which /${match.pattern}/ finds its id`;
    case 'marker':
      return 'with a message that holds its id';
  }
}

const shownCharacters = 200;
