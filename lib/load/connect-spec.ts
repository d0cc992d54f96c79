// How one of a plan's connections is opened.
import type { ConnectSpec } from './drivers/driver.ts';
import type { StressPlan } from './plan.ts';

/** The spec of connection `index`: the plan's headers, and the token whose turn it is. */
export function connectSpec(plan: StressPlan, index: number): ConnectSpec {
  const { url, subprotocols, connectTimeoutMs: timeoutMs, insecure, caCertificates, tokens } = plan;
  const token = tokens[index % Math.max(1, tokens.length)];
  const own: [string, string][] = token === undefined ? [] : [['Authorization', `Bearer ${token}`]];
  const given = plan.headers.filter(
    ([name]) => token === undefined || name.toLowerCase() !== 'authorization',
  );
  return {
    url,
    headers: [...given, ...own],
    subprotocols,
    timeoutMs,
    insecure,
    ...(caCertificates === undefined ? {} : { caCertificates }),
  };
}
