// What `conform` is asked to do.
import type { FailOn } from '../result/result.ts';
import type { ProxyServer } from '../transport/proxy.ts';
import type { TlsOptions } from '../transport/tls-settings.ts';

/** How cases are judged: exactly as Autobahn does, or by today's RFCs and registry where they differ. */
export type Strictness = 'autobahn' | 'rfc';

/** How to connect to a server. */
export interface ConformConnect {
  url: string;
  /** One that is given takes the place of ours of the same name. */
  headers: readonly (readonly [string, string])[];
  subprotocols: readonly string[];
  /** For `wss://`. */
  tls?: TlsOptions;
  proxy?: ProxyServer;
  /** Addresses of this machine to connect from, in turn; the system chooses where there are none. */
  localAddresses?: readonly string[];
}

/** One server under test. */
export interface AgentPlan {
  /** As reports call it. */
  name: string;
  connect: ConformConnect;
  /** Its own cases, instead of the plan's. */
  caseIds?: readonly string[];
}

/** Everything that a run of cases goes by. Nothing is read from files or the environment. */
export interface ConformPlan {
  /** Tested one after another. */
  agents: readonly AgentPlan[];
  /** Ids of the cases to run. */
  caseIds: readonly string[];
  strictness: Strictness;
  failOn: FailOn;
  /** Messages in each case of sections 12 and 13. */
  messages: number;
  /** Cases at once; `auto` depends on how heavy they are. */
  jobs: number | 'auto';
  /** How often each case is run. */
  repeat: number;
  /** What all waiting is multiplied with: tests hurry. 1 by default. */
  timeScale?: number;
  /** The command that this run can be repeated with; the id of a case is added to it. */
  reproduceBase: string;
  /** Version of wsbench, for the result. */
  version: string;
  /** For the plan's record: what else was asked for, secrets masked by name. */
  options?: Record<string, unknown>;
}
