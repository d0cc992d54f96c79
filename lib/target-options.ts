// What every run against a target can be told about connecting to it.
import { WsbenchError } from './errors.ts';
import { keepHeaderSecret, keepSubprotocolSecrets, keepUrlSecrets } from './result/redact.ts';
import { parseTokenPlace, type TokenPlace, tokenPlaceOf } from './target/credential.ts';
import { loadTarget } from './target/load.ts';
import { loadPreset, presetFor } from './target/presets.ts';
import { resolveTarget, targetAddress } from './target/resolve.ts';
import type { Target } from './target/target.ts';
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
  /** Preset that says how the target talks, such as `echo` or `socket.io`. */
  preset?: string;
  /** Path of a target file that says how the target talks; instead of a preset. */
  targetFile?: string;
  /** What errors call the target file; its path by default. */
  targetName?: string;
  /** Values for the variables of preset or target file. */
  variables?: Readonly<Record<string, string>>;
  /** What `{{ env.NAME }}` in a target file stands for; nothing by default. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Where tokens go, as `--token-in` takes it: `header`, `query:access_token`, … The target's description says so by default. */
  tokenIn?: string;
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

/** Where and how to connect, with everything that options and the target's description say. */
export interface ConnectPlan {
  url: string;
  headers: [string, string][];
  subprotocols: string[];
  insecure: boolean;
  caCertificates?: string;
  /** Where tokens go. */
  tokenPlace: TokenPlace;
}

/**
 * How a target talks, as preset or target file describe it, its variables filled in; undefined when neither is named.
 *
 * @param url where the target is, if that is known: it may say which version of a protocol is meant
 * @throws WsbenchError `USAGE` for an unknown preset or variable, `CONFIG` for a target file that is wrong
 */
export function describedTarget(options: ConnectOptions, url?: string): Target | undefined {
  const { preset, targetFile, targetName, variables = {}, env = {} } = options;
  if (preset !== undefined && targetFile !== undefined) {
    throw new WsbenchError('USAGE', '--preset and --target exclude each other');
  }
  const file =
    targetFile !== undefined
      ? loadTarget(targetFile, targetName)
      : preset !== undefined
        ? loadPreset(presetFor(preset, url))
        : undefined;
  if (file) return resolveTarget(file, { given: variables, env });
  if (Object.keys(variables).length === 0) return undefined;
  throw new WsbenchError('USAGE', '-e sets variables of a target: name it with --preset or --target');
}

/** A preset as it is, without variables of the user's. */
export function plainPreset(name: string): Target {
  return resolveTarget(loadPreset(name), { given: {}, env: {} });
}

/** Where and how to connect to a target at a URL. Its secrets are masked in every output from then on. */
export function connectPlan(url: string, target: Target | null, options: ConnectOptions): ConnectPlan {
  const described = target?.connect;
  const given = (options.headers ?? []).map(([name, value]): [string, string] => [name, value]);
  const names = new Set(given.map(([name]) => name.toLowerCase()));
  const own = Object.entries(described?.headers ?? {}).filter(([name]) => !names.has(name.toLowerCase()));
  const asked = options.subprotocols ?? [];
  const address = targetAddress(url, target);
  const headers = [...own, ...given];
  const tokenPlace =
    options.tokenIn === undefined ? tokenPlaceOf(target) : askedPlace(options.tokenIn, target);
  const subprotocols = asked.length > 0 ? [...asked] : [...(described?.subprotocols ?? [])];
  const beside = tokenPlace.in === 'subprotocol' ? target?.auth?.subprotocol : undefined;
  if (beside !== undefined && subprotocols.length === 0) subprotocols.push(beside);
  keepUrlSecrets(address);
  for (const [name, value] of headers) keepHeaderSecret(name, value);
  keepSubprotocolSecrets(subprotocols);
  return {
    url: address,
    headers,
    subprotocols,
    insecure: options.insecure ?? false,
    ...(options.caCertificates === undefined ? {} : { caCertificates: options.caCertificates }),
    tokenPlace,
  };
}

function askedPlace(tokenIn: string, target: Target | null): TokenPlace {
  const place = parseTokenPlace(tokenIn);
  const auth = target?.auth;
  if (place.in === 'message' && place.value === undefined && !auth?.message && auth?.in !== 'message') {
    const how = `write --token-in 'message:{"token":"{{ token }}"}' with the message that it wants`;
    throw new WsbenchError('USAGE', `--token-in message: the target does not say which message; ${how}`);
  }
  return place;
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
