// A machine that is fit to measure on, for tests to change.
import type { MachineFacts } from '../../lib/doctor/facts.ts';
import type { Floor } from '../../lib/doctor/floor.ts';
import type { Quiet } from '../../lib/doctor/quiet.ts';

const GiB = 1024 ** 3;

export const goodMachine: MachineFacts = {
  runtime: { node: '20.20.2', openssl: '3.0.19', zlib: '1.3.1' },
  files: { soft: 20_000, hard: 20_000, open: 20 },
  ports: { first: 32_768, last: 60_999, reserved: 0, timeWait: 12 },
  processors: { cores: 4, quota: null },
  memory: {
    totalBytes: 16 * GiB,
    availableBytes: 12 * GiB,
    limitBytes: null,
    swapUsedBytes: 0,
    strict: false,
  },
  sockets: {
    receive: { min: 4096, standard: 131_072, max: 33_554_432 },
    send: { min: 4096, standard: 16_384, max: 4_194_304 },
    backlog: 4096,
    synBacklog: 2048,
  },
  clockSource: 'tsc',
  k6: null,
};

export const goodQuiet: Quiet = {
  timers: { count: 900, mean: 0.1, p50: 0.09, p99: 0.4, max: 1.2 },
  loop: { count: 90, mean: 0.2, p50: 0.1, p99: 0.9, max: 1 },
  clock: { stepNs: 60, readNs: 90, backwards: 0 },
  processors: { busy: 0.04, stolen: 0 },
};

export const goodFloor: Floor = {
  driver: 'native',
  connect: { connections: 1000, perSecond: 5000 },
  memory: { connections: 1000, rssBytes: 6000, heapBytes: 3000 },
  roundTrip: { count: 20_000, p50Ms: 0.03, p99Ms: 0.12, perSecond: 20_000, cpuUs: 24 },
  rate: { perSecond: 330_000, lagP99Ms: 4.4, cpuUs: 2.2, endedBy: 'generator', steps: [] },
  throttledMs: null,
};
