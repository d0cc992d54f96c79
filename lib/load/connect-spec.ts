// How one of a plan's connections is opened.
import { placeToken } from '../target/credential.ts';
import type { ConnectSpec } from './drivers/driver.ts';
import type { StressPlan } from './plan.ts';

/** The token of connection `index`, if there are any: they take turns. */
export function tokenOf({ tokens }: Pick<StressPlan, 'tokens'>, index: number): string | undefined {
  return tokens[index % Math.max(1, tokens.length)];
}

/** The spec of connection `index`: the plan's upgrade, with the token whose turn it is where tokens go. */
export function connectSpec(plan: StressPlan, index: number): ConnectSpec {
  const { url, headers, subprotocols, tokenPlace } = plan;
  const { connectTimeoutMs: timeoutMs, insecure, caCertificates } = plan;
  return {
    ...placeToken({ url, headers, subprotocols }, tokenPlace, tokenOf(plan, index)),
    timeoutMs,
    insecure,
    ...(caCertificates === undefined ? {} : { caCertificates }),
  };
}
