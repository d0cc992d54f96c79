// What the unpunctuality of an idle process means for load tests. Pure.
import type { MachineFacts } from './facts.ts';
import type { Quiet } from './quiet.ts';
import type { Finding } from './report.ts';
import { ms, share } from './words.ts';

// A run is inconclusive when its send lag reaches this: an idle process that does measures nothing.
const hopelessMs = 5;
const lateMs = 2.5;
const muchStolen = 0.02;
const muchBusy = 0.5;
const coarseNs = 10_000;
const hopelessNs = 1_000_000;
const slowReadNs = 1000;

const quieter =
  'stop other work on this machine, or measure on another one; a virtual machine needs processors of its own';

/** Findings about how quiet a machine is. */
export function judgeQuiet(quiet: Quiet, machine: MachineFacts): Finding[] {
  return [timers(quiet), loop(quiet), clock(quiet, machine), noise(quiet)];
}

function timers({ timers: { p50, p99, max } }: Quiet): Finding {
  const detail = `a timer of 1 ms is late by ${ms(p50)} (p50), ${ms(p99)} (p99), ${ms(max)} at most`;
  return { id: 'timers', title: 'Timers', detail, ...byDelay(p99) };
}

function loop({ loop: { p99, max, count } }: Quiet): Finding {
  const finding = { id: 'event-loop', title: 'Event loop' };
  if (count === 0) return { ...finding, status: 'unknown', detail: 'it came round not once' };
  return { ...finding, detail: `idle, it is late by ${ms(p99)} (p99), ${ms(max)} at most`, ...byDelay(p99) };
}

function byDelay(p99: number): Pick<Finding, 'status' | 'advice'> {
  if (p99 >= hopelessMs) {
    return { status: 'fail', advice: `${quieter}: from ${hopelessMs} ms on every run is inconclusive` };
  }
  return p99 >= lateMs ? { status: 'warn', advice: quieter } : { status: 'ok' };
}

function clock({ clock: { stepNs, readNs, backwards } }: Quiet, { clockSource }: MachineFacts): Finding {
  const source = clockSource === null ? '' : `${clockSource}: `;
  const finding = {
    id: 'clock',
    title: 'Clock',
    detail: `${source}steps of ${stepNs} ns, ${readNs} ns to read${backwards > 0 ? `, went backwards ${backwards} times` : ''}`,
  };
  if (backwards > 0 || stepNs === 0 || stepNs > hopelessNs) {
    const advice = 'the monotonic clock of this machine is broken: no time measured with it means anything';
    return { ...finding, status: 'fail', advice };
  }
  if (stepNs > coarseNs || readNs > slowReadNs) {
    const advice =
      'a coarse or slow clock source: the kernel distrusts the one of the processor (tsc), see dmesg';
    return { ...finding, status: 'warn', advice };
  }
  return { ...finding, status: 'ok' };
}

function noise({ processors }: Quiet): Finding {
  const finding = { id: 'noise', title: 'Other work' };
  if (processors === null) return { ...finding, status: 'unknown', detail: 'this system does not say' };
  const { busy, stolen } = processors;
  const detail = `${share(busy)} of the processors' time is used, ${share(stolen)} is taken by the host (steal)`;
  if (stolen > muchStolen) {
    const advice =
      'other machines on the same host take processors away: figures will vary; use dedicated ones';
    return { ...finding, status: 'warn', detail, advice };
  }
  return busy > muchBusy
    ? { ...finding, status: 'warn', detail, advice: 'something else works here: stop it before you measure' }
    : { ...finding, status: 'ok', detail };
}
