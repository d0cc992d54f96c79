// Plans for benchmarks of parts of the engine.
import type { StressPlan } from '../lib/load/index.ts';
import { loadPreset } from '../lib/target/presets.ts';

/** A plan for an echo server that nobody connects to. */
export function echoPlan(changes: Partial<StressPlan>): StressPlan {
  return {
    name: 'bench',
    url: 'ws://127.0.0.1:1/',
    target: loadPreset('echo'),
    targetKnown: true,
    embedded: false,
    connections: 1,
    model: 'open',
    depth: 1,
    ratePerSecond: 1000,
    arrival: 'constant',
    durationMs: 1000,
    rampUpMs: 0,
    settleMs: 50,
    warmupMs: 500,
    timeoutMs: 5000,
    connectTimeoutMs: 2000,
    sizeBytes: 32,
    binary: false,
    headers: [],
    subprotocols: [],
    tokens: [],
    tokenPlace: { in: 'header' },
    insecure: false,
    localAddresses: [],
    driver: 'native',
    workers: 1,
    spin: false,
    compress: false,
    fragmentBytes: 0,
    slowConsumers: 0,
    abortOnFail: false,
    delayAbortMs: 0,
    seed: 1,
    thresholds: [],
    ...changes,
  };
}
