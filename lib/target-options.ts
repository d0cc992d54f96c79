// What every run against a target can be told about connecting to it.
import { parseTargetUrl } from './target/url.ts';
import type { TokenOptions } from './token.ts';

/** A running server that can be tested in place of a URL, such as the one that `createServer` makes. */
export interface TargetServer {
  /** WebSocket URL, once it listens. */
  url: string;
  /** Mints a token that the server accepts. */
  mint?: (options: TokenOptions) => Promise<string>;
}

/** How to connect. */
export interface ConnectOptions {
  /** Preset that says how the target talks: `wsbench` or `echo`. */
  preset?: string;
  /** Request headers of the upgrade. */
  headers?: readonly (readonly [string, string])[];
  subprotocols?: readonly string[];
  /** Accept any TLS certificate. */
  insecure?: boolean;
  /** Certificate authorities to trust, PEM. */
  caCertificates?: string;
  /** The command that reproduces the run, for the result. */
  reproduce?: string;
}

/** The connect options with their defaults filled in. */
export interface ConnectPlan {
  headers: [string, string][];
  subprotocols: string[];
  insecure: boolean;
  caCertificates?: string;
}

/** Fills in the defaults. */
export function connectDefaults(options: ConnectOptions): ConnectPlan {
  return {
    headers: (options.headers ?? []).map(([name, value]) => [name, value]),
    subprotocols: [...(options.subprotocols ?? [])],
    insecure: options.insecure ?? false,
    ...(options.caCertificates === undefined ? {} : { caCertificates: options.caCertificates }),
  };
}

/**
 * The URL of a target, checked. A server object without a path stands for its typed endpoint, `/ws`.
 *
 * @throws WsbenchError `USAGE` for a bad URL
 */
export function targetUrlOf(target: string | TargetServer): string {
  if (typeof target === 'string') return parseTargetUrl(target);
  const url = new URL(parseTargetUrl(target.url));
  if (url.pathname === '/') url.pathname = '/ws';
  return url.href;
}
