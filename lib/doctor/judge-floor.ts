// What wsbench's own cost on a machine means for load tests on it. Pure.
import type { MachineFacts } from './facts.ts';
import type { Floor } from './floor.ts';
import type { Finding } from './report.ts';
import { bytes, count, ms } from './words.ts';

// What an idle machine of today does many times over.
const slowPerSecond = 10_000;
const slowRoundTripMs = 5;
const slowConnectsPerSecond = 500;
const muchThrottledMs = 100;

/** Findings of the self-test; `floor` in words: why there was none. */
export function judgeFloor(floor: Floor | string, machine: MachineFacts): Finding[] {
  if (typeof floor === 'string') {
    const advice = 'look at firewalls, sandboxes and limits of this machine: wsbench reached not even itself';
    return [{ id: 'self-test', title: 'Self-test', status: 'fail', detail: floor, advice }];
  }
  return [roundTrip(floor), rate(floor), connects(floor), memory(floor), ...quota(floor, machine)];
}

function roundTrip({ roundTrip: { p50Ms, p99Ms, cpuUs, perSecond } }: Floor): Finding {
  const finding = {
    id: 'round-trip',
    title: 'Round trip',
    detail: `${ms(p50Ms)} (p50), ${ms(p99Ms)} (p99) over one connection; ${count(perSecond)}/s at ${cpuUs} µs of CPU each`,
  };
  if (p99Ms < slowRoundTripMs) return { ...finding, status: 'ok' };
  return {
    ...finding,
    status: 'warn',
    advice: 'that is the least that any target on this machine will show',
  };
}

function rate({ rate: { perSecond, lagP99Ms, cpuUs, endedBy } }: Floor): Finding {
  const finding = { id: 'rate', title: 'Message rate' };
  if (perSecond === 0) {
    const detail = `not even the first step was sent in time: send lag p99 ${ms(lagP99Ms)}`;
    const advice =
      'every run here would be inconclusive: stop other work on this machine, or use another one';
    return { ...finding, status: 'fail', detail, advice };
  }
  const most = {
    generator: 'the most that is sent in time',
    server: 'then the echo server of the self-test was full: wsbench can do more',
    time: 'and the search ended there: wsbench can do more',
  };
  const detail = `${count(perSecond)} msg/s with one worker, send lag p99 ${ms(lagP99Ms)}, ${cpuUs} µs of CPU each; ${most[endedBy]}`;
  if (perSecond >= slowPerSecond) return { ...finding, status: 'ok', detail };
  return { ...finding, status: 'warn', detail, advice: 'little for a load generator: is this machine busy?' };
}

function connects({ connect: { connections, perSecond } }: Floor): Finding {
  const finding = {
    id: 'connects',
    title: 'Connects',
    detail: `${count(perSecond)}/s (${count(connections)} opened)`,
  };
  return perSecond >= slowConnectsPerSecond
    ? { ...finding, status: 'ok' }
    : { ...finding, status: 'warn', advice: 'use --ramp-up, so that `connect` does not time this machine' };
}

function memory({ memory: { connections, rssBytes, heapBytes } }: Floor): Finding {
  const detail = `${bytes(rssBytes)} a connection (RSS), of it ${bytes(heapBytes)} in the heap; ${count(connections)} idle ones`;
  return { id: 'connection-memory', title: 'Memory each', status: 'ok', detail };
}

function quota({ throttledMs }: Floor, { processors }: MachineFacts): Finding[] {
  if (throttledMs === null) return [];
  const finding = {
    id: 'quota',
    title: 'CPU quota',
    detail: `stopped wsbench for ${ms(throttledMs)} during the self-test`,
  };
  if (throttledMs < muchThrottledMs) return [{ ...finding, status: 'ok' }];
  const cores = processors.quota === null ? '' : ` of ${Number(processors.quota.toPrecision(3))} cores`;
  const advice = `the quota${cores} is too small: raise it (cpu.max, --cpus), or ask for less load`;
  return [{ ...finding, status: 'warn', advice }];
}
