// What an engine's parts counted, as its share of the run.
import { timeMetrics } from '../metrics/names.ts';
import { kinds } from './ledger.ts';
import type { Load } from './load.ts';
import type { Rig } from './rig.ts';
import type { Share } from './share.ts';
import { noSilence } from './silence.ts';

/** Takes the share of an engine at `atUs`. What only its end tells is left empty. */
export function takeShare(
  { part, recorder, rehearsal, ledger, fleet, traffic, renewal }: Rig,
  load: Load,
  atUs: number,
): Share {
  const { counters, startUs, endUs, waitedLong } = recorder;
  const times = Object.fromEntries(timeMetrics.map((name) => [name, recorder.times[name].data()]));
  const health = load.measured
    ? [
        {
          ...load.health,
          worker: part.worker,
          waitedLong,
          sent: counters['messages.sent'],
          sendLag: times.send_lag,
        } as Share['health'][number],
      ]
    : [];
  return {
    atUs,
    counters: { ...counters },
    times: times as Share['times'],
    warmup: rehearsal.fates,
    slow: { ...recorder.slow },
    unsentReasons: new Map(recorder.unsentReasons),
    rejectionCodes: new Map(recorder.rejectionCodes),
    totalSent: recorder.totalSent,
    totalReceived: recorder.totalReceived,
    repliesInMeasure: recorder.repliesInMeasure,
    waitedLong,
    measured: load.measured,
    startUs,
    endUs,
    outstanding: ledger.outstandingOf(kinds.measured),
    connecting: fleet.connecting,
    open: fleet.open,
    ...fleet.places.uptime(atUs),
    closes: fleet.closes.map((close) => ({ ...close })),
    failures: fleet.failures.data(),
    violations: fleet.violations.data(),
    ends: fleet.ends.data(),
    backlog: load.backlog,
    backlogEnd: load.backlogEnd,
    probe: traffic.probe,
    crossed: traffic.crossed,
    renewals: renewal
      ? {
          renewed: renewal.renewed,
          failed: renewal.failed,
          ...(renewal.firstFailure === undefined ? {} : { firstFailure: renewal.firstFailure }),
        }
      : null,
    recovery: load.recovery,
    silence: noSilence,
    unansweredCloses: 0,
    health,
  };
}
