// What `quick` is asked to do.
import type { TokenPlace } from '../target/credential.ts';
import type { Target } from '../target/target.ts';
import type { TokenOptions } from '../token.ts';

/** Makes a token that the target accepts. */
export type Mint = (options: TokenOptions) => Promise<string>;

/** Where and how to connect. */
export interface ConnectPlan {
  url: string;
  headers: Readonly<Record<string, string>>;
  subprotocols: readonly string[];
  insecure: boolean;
  /** PEM texts. */
  caCertificates: readonly string[];
  /** Time that the handshake, and later one reply, may take, in ms. */
  timeoutMs: number;
}

/** Everything that a run of checks goes by. Nothing is read from files or the environment. */
export interface QuickPlan extends ConnectPlan {
  /** Where tokens go. */
  tokenPlace: TokenPlace;
  /** Scenario name, for the result. */
  name: string;
  /** How the target talks; null when nothing is known. */
  target: Target | null;
  /** True: wsbench's own server, started for this run. */
  embedded: boolean;
  /** Ids of the checks to run, in order. */
  checks: readonly string[];
  /** Ids or globs that narrow them down, or name others. */
  only: readonly string[];
  /** Connections that the check of simultaneous connections opens. */
  connections: number;
  /** A valid token. */
  token?: string;
  /** Makes valid tokens at will. */
  mint?: Mint;
  /** Allows bursts and worse against a target that is not this machine. */
  intrusive: boolean;
  /** The command that this run can be repeated with; `--only ID` is added to it. */
  reproduceBase: string;
  seed: number;
  /** Version of wsbench, for the result. */
  version: string;
}
