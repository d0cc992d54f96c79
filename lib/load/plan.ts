// What a stress run is asked to do, and the record of it that a result keeps.
import { createHash } from 'node:crypto';
import { redactHeader, redactNamed, redactOptions, redactText, redactUrl } from '../result/redact.ts';
import type { PlanRecord } from '../result/result.ts';
import type { Threshold } from '../result/thresholds.ts';
import type { Shape } from '../scenario/shapes.ts';
import type { TokenPlace } from '../target/credential.ts';
import type { Target } from '../target/target.ts';
import type { ReconnectPolicy } from './reconnect/policy.ts';
import type { StormPlan } from './reconnect/storm.ts';
import type { Mint } from './tokens.ts';

/** The drivers that there are, the default first. */
export const driverNames = ['native', 'ws'] as const;
export type DriverName = (typeof driverNames)[number];

/** A certificate of ours and its private key, PEM. */
export interface ClientCertificate {
  cert: string;
  key: string;
  /** What the key is encrypted with. */
  passphrase?: string;
}

/** One stage of a measure phase: within it, what is named goes linearly from what it was to this. No time: it jumps. */
export interface Stage {
  durationMs: number;
  connections?: number;
  /** Messages per second over all connections (open model). */
  ratePerSecond?: number;
}

/** Everything a stress run needs to know. Nothing in it is read from files or the environment any more. */
export interface StressPlan {
  name: string;
  /** `ws://` or `wss://`. */
  url: string;
  target: Target;
  /** A preset or target file was named: an unanswered probe then does not stop the run. */
  targetKnown: boolean;
  /** wsbench's own server, on the same machine. */
  embedded: boolean;
  connections: number;
  model: 'open' | 'closed';
  /** Messages in flight per connection (closed model). */
  depth: number;
  /** Messages per second over all connections (open model). */
  ratePerSecond: number;
  arrival: 'constant' | 'poisson';
  /** Length of the measure phase. */
  durationMs: number;
  /** How rate and connections change over the measure phase; none: they stay what they are. They last for {@link durationMs}. */
  stages: readonly Stage[];
  /** What the stages were made from. */
  shape: Shape;
  /** The measure phase ends when so many messages were scheduled, if that is earlier; 0: it does not. */
  messages: number;
  /** Pause between a reply and the next message, from and to, drawn evenly (closed model). */
  thinkTimeMs: readonly [number, number];
  /** Connections are opened evenly over this time; 0: as fast as it goes. */
  rampUpMs: number;
  /** Connections are opened at this rate, with the arrivals of messages; 0: see {@link rampUpMs}. */
  connectRatePerSecond: number;
  /** So many connections a second are replaced by fresh ones in warm-up and measure phase, the oldest first. */
  churnPerSecond: number;
  /** A connection is replaced by a fresh one when so many messages went over it and were answered; 0: never. */
  messagesPerConnection: number;
  settleMs: number;
  warmupMs: number;
  /** A message is lost at its due time + this. */
  timeoutMs: number;
  /** Limit of DNS, TCP, TLS and upgrade together, per connection. */
  connectTimeoutMs: number;
  /** Size of a message; what the target's request needs is the least, and 0 asks for just that. */
  sizeBytes: number;
  /** Replaces the target's request: text is a template like it, bytes are sent as they are. */
  message?: string | Uint8Array;
  /** Send binary instead of text messages. */
  binary: boolean;
  headers: [string, string][];
  subprotocols: string[];
  /** Tokens, dealt to the connections in turn. */
  tokens: string[];
  /** Where they go. */
  tokenPlace: TokenPlace;
  /** Makes fresh tokens for connections that outlive theirs; without it the next of {@link tokens} is taken. */
  mint?: Mint;
  /** Accept any certificate. */
  insecure: boolean;
  /** PEM certificates that are trusted besides the usual ones. */
  caCertificates?: string;
  /** Certificate and private key to show to the target, PEM. */
  clientCertificate?: ClientCertificate;
  /** The name to ask for (SNI) and to look for in the certificate, where it is not that of the URL. */
  servername?: string;
  /** URL of a proxy to go through, `http://` or `socks5://`; it may hold a password. */
  proxy?: string;
  /** Addresses of this machine to connect from, in turn; empty: the system chooses. */
  localAddresses: string[];
  /** What carries the messages. */
  driver: DriverName;
  /** Threads that share the connections and messages; 1: no other than the one that everything runs in. */
  workers: number;
  /** Wait for due times in a busy loop, which is exact to microseconds and takes a whole core. */
  spin: boolean;
  /** Offer permessage-deflate, and compress messages where it is agreed on. */
  compress: boolean;
  /** Messages are sent in fragments of this size; 0: whole. */
  fragmentBytes: number;
  /** Share of the connections that read slowly, 0–1. */
  slowConsumers: number;
  seed: number;
  thresholds: Threshold[];
  /** A threshold that is crossed for good ends the run at once, but not within the first {@link delayAbortMs} of the measure phase. */
  abortOnFail: boolean;
  delayAbortMs: number;
  /** The command that reproduces the run. */
  reproduce?: string;
  /** How connections that are lost in warm-up and measure phase come back; left out: they do not. */
  reconnect?: ReconnectPolicy;
  /** All connections go at once, and the measure phase lasts until they are back. */
  storm?: StormPlan;
  /** Version of wsbench that the result names. */
  version?: string;
}

/**
 * The plan as a result keeps it: secrets masked, with a hash that is equal for equal plans, so that the shards of one
 * run and the runs of one experiment can be told from others. Pure.
 */
export function planRecord(plan: StressPlan): PlanRecord {
  const {
    name,
    url,
    tokens,
    headers,
    message,
    caCertificates,
    clientCertificate,
    proxy,
    thresholds,
    ...rest
  } = plan;
  const { reproduce: _reproduce, version: _version, mint: _mint, target, ...settings } = rest;
  const options: Record<string, unknown> = {
    ...(redactOptions(settings) as Record<string, unknown>),
    target: describeTarget(target),
    url: redactUrl(url),
    headers: headers.map(([header, value]) => [header, redactHeader(header, value)]),
    // How many tokens take turns is part of the load; which ones is not, and differs from run to run.
    tokens: tokens.length,
    ...(message === undefined ? {} : { message: describeMessage(message) }),
    ...(caCertificates === undefined ? {} : { caCertificates: digest(caCertificates) }),
    ...(clientCertificate === undefined ? {} : { clientCertificate: digest(clientCertificate.cert) }),
    ...(proxy === undefined ? {} : { proxy: redactUrl(proxy) }),
    thresholds: thresholds.map((threshold) => threshold.expression),
  };
  // Thresholds judge the load, the seed draws it, workers and local addresses carry it: none changes what was asked for. An
  // embedded server listens on another port each time, and is the same target.
  const {
    thresholds: _thresholds,
    seed: _seed,
    localAddresses: _addresses,
    abortOnFail: _abort,
    delayAbortMs: _delay,
    ...asked
  } = options;
  const { workers: _workers, spin: _spin, url: anyUrl, ...load } = asked;
  if (!plan.embedded) load.url = anyUrl;
  // As it is in the hashes of runs that name none.
  load.localAddresses = [];
  // What is not asked for is left out, so that a plan keeps its hash when there is more to ask for.
  for (const [key, neutral] of Object.entries(unasked)) {
    if (canonicalJson(load[key]) === canonicalJson(neutral)) delete load[key];
  }
  // A shape is a name for its stages.
  delete load.shape;
  return { hash: digest(canonicalJson(load)), name, options };
}

const unasked = {
  stages: [],
  messages: 0,
  thinkTimeMs: [0, 0],
  connectRatePerSecond: 0,
  churnPerSecond: 0,
  messagesPerConnection: 0,
} satisfies Partial<StressPlan>;

/** The description as it was filled in; variables and headers may hold secrets. */
function describeTarget(target: Target): unknown {
  const { headers, query, ...connect } = target.connect;
  const masked = (values: Record<string, string>, mask: (name: string, value: string) => string) =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, mask(name, value)]));
  return {
    ...(redactOptions(target) as Target),
    connect: {
      ...(redactOptions(connect) as object),
      headers: masked(headers, redactHeader),
      query: masked(query, redactNamed),
    },
  };
}

function describeMessage(message: string | Uint8Array): unknown {
  if (typeof message === 'string') return redactText(message);
  return { bytes: message.length, sha256: digest(message) };
}

function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** JSON with the keys of every object sorted, so that equal values have equal text. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, inner]) => inner !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`);
  return `{${entries.join(',')}}`;
}
