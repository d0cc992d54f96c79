// What there is to say of a run when it is over.
import type { Warning } from '../result/result.ts';
import type { StressPlan } from './plan.ts';
import { judgeProbe } from './probe.ts';
import type { Share } from './share.ts';
import { targetWarnings } from './target-warnings.ts';

/**
 * Warnings for the end of a run.
 *
 * @param told those that were given before
 */
export function endWarnings(plan: StressPlan, share: Share, told: readonly Warning[]): Warning[] {
  const { probe, renewals } = share;
  const warnings: Warning[] = [];
  // Its answer may have come when the load had begun.
  const { warning } = judgeProbe(plan, { probe, isOpen: false });
  if (warning && !told.some(({ code }) => code === warning.code)) warnings.push(warning);
  if (probe === 'lost' && plan.targetKnown) {
    const message = 'the probe message before the load was not answered';
    warnings.push({ code: 'probe-unanswered', message });
  }
  if (renewals && renewals.failed > 0) {
    const all = renewals.renewed + renewals.failed;
    const message = `${renewals.failed} of ${all} token refreshes failed; the first: ${renewals.firstFailure}`;
    warnings.push({ code: 'token-refresh', message });
  }
  return [...warnings, ...targetWarnings(share, plan.target.echoes)];
}
