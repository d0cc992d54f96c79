// A short load in its plainest form: what nobody asks for is off. Self-test and tests change what they are about.
import type { StressPlan } from '../load/plan.ts';
import type { Target } from '../target/target.ts';

/** A plan of one second at 200 messages/s over 4 connections, on the native driver and one worker. */
export function neutralPlan(name: string, url: string, target: Target): StressPlan {
  return {
    name,
    url,
    target,
    targetKnown: false,
    embedded: false,
    connections: 4,
    model: 'open',
    depth: 1,
    ratePerSecond: 200,
    arrival: 'constant',
    durationMs: 1000,
    stages: [],
    shape: 'constant',
    messages: 0,
    thinkTimeMs: [0, 0],
    rampUpMs: 0,
    connectRatePerSecond: 0,
    churnPerSecond: 0,
    messagesPerConnection: 0,
    settleMs: 50,
    warmupMs: 100,
    // Short: room is held for all that may be outstanding.
    timeoutMs: 1000,
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
    seed: 1,
    thresholds: [],
    abortOnFail: false,
    delayAbortMs: 0,
  };
}
