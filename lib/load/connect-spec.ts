// How one of a plan's connections is opened.
import { placeToken } from '../target/credential.ts';
import type { ConnectSpec } from './drivers/driver.ts';
import type { StressPlan } from './plan.ts';

/** The spec of connection `index`: the plan's upgrade, with the token whose turn it is where tokens go. */
export function connectSpec(plan: StressPlan, index: number): ConnectSpec {
  const { url, headers, subprotocols, tokens, tokenPlace } = plan;
  const { connectTimeoutMs: timeoutMs, insecure, caCertificates } = plan;
  const token = tokens[index % Math.max(1, tokens.length)];
  return {
    ...placeToken({ url, headers, subprotocols }, tokenPlace, token),
    timeoutMs,
    insecure,
    ...(caCertificates === undefined ? {} : { caCertificates }),
  };
}
