// Options that several commands share, and how their values are read.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { WsbenchError } from '../lib/errors.ts';
import { fileTrouble } from '../lib/file-words.ts';
import {
  keepHeaderSecret,
  keepNamedSecret,
  keepSecret,
  keepSubprotocolSecrets,
  keepUrlSecrets,
  redactHeader,
  redactNamed,
  redactSubprotocols,
  redactUrl,
} from '../lib/result/redact.ts';
import { presetNames } from '../lib/target/presets.ts';
import type { ConnectOptions } from '../lib/target-options.ts';
import type { SigningKey } from '../lib/token.ts';
import type { Io } from './io.ts';
import { isJwk, keepKey } from './jwk.ts';

/** Collects a repeatable option. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

/** The value of `--local-address`. */
export function addressList(text: string): string[] {
  return text.split(',').map((one) => one.trim());
}

/** Raw values of the options of {@link connectFlags}. */
export interface ConnectFlags {
  preset?: string;
  target?: string;
  env?: string[];
  /** Of the options for tokens. */
  tokenIn?: string;
  header?: string[];
  subprotocol?: string[];
  insecure?: boolean;
  cacert?: string;
}

/** Adds the options that say how to connect. */
export function connectFlags(command: Command): Command {
  return command
    .optionsGroup('Target:')
    .option('--preset <name>', `how the target talks: ${presetNames.join(', ')}`)
    .option('--target <file>', 'how the target talks, in a target file (docs/targets.md)')
    .option('-e, --env <name=value>', 'variable of the preset or target file (repeatable)', collect)
    .option('-H, --header <k: v>', 'request header of the upgrade (repeatable)', collect)
    .option('--subprotocol <name>', 'subprotocol to offer (repeatable)', collect)
    .option('-k, --insecure', 'accept any TLS certificate')
    .option('--cacert <file>', 'certificate authorities to trust, PEM');
}

/**
 * Reads the options of {@link connectFlags}. The secrets among them are masked in every output from then on.
 *
 * @throws WsbenchError `USAGE` for a header without a colon or an unreadable file
 */
export function connectOptions(flags: ConnectFlags, io: Io): ConnectOptions {
  keepSubprotocolSecrets(flags.subprotocol ?? []);
  return {
    ...(flags.preset === undefined ? {} : { preset: flags.preset }),
    ...(flags.target === undefined
      ? {}
      : { targetFile: resolve(io.cwd, flags.target), targetName: flags.target }),
    ...(flags.tokenIn === undefined ? {} : { tokenIn: flags.tokenIn }),
    variables: Object.fromEntries((flags.env ?? []).map(parseVariable)),
    env: io.env,
    headers: (flags.header ?? []).map(parseHeader),
    subprotocols: flags.subprotocol ?? [],
    insecure: flags.insecure ?? false,
    ...(flags.cacert === undefined ? {} : { caCertificates: readText(flags.cacert, '--cacert', io) }),
  };
}

function parseVariable(text: string): [string, string] {
  const sign = text.indexOf('=');
  // The text itself may be a secret, with the name forgotten.
  if (sign < 1)
    throw new WsbenchError('USAGE', '--env: there is no name before a =; write it like name=value');
  const [name, value] = [text.slice(0, sign), text.slice(sign + 1)];
  keepNamedSecret(name, value);
  return [name, value];
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  const name = text.slice(0, colon).trim();
  const value = text.slice(colon + 1).trim();
  keepHeaderSecret(name, value);
  // The text itself may be the secret, with the colon forgotten.
  if (colon < 1) throw new WsbenchError('USAGE', '--header: there is no colon; write it like "Name: value"');
  if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name)) {
    throw new WsbenchError(
      'USAGE',
      '--header: what is before the colon is no header name; write it like "Name: value"',
    );
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not get into a request
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) {
    throw new WsbenchError('USAGE', `--header: the value of ${name} has control characters`);
  }
  return [name, value];
}

/**
 * What `--cert` and `--cert-key` give.
 *
 * @throws WsbenchError `USAGE` when one is missing or cannot be read
 */
export function clientCertificate(
  cert: string | undefined,
  key: string | undefined,
  io: Io,
): { clientCertificate?: { cert: string; key: string } } {
  if (cert === undefined && key === undefined) return {};
  if (cert === undefined) throw new WsbenchError('USAGE', '--cert-key needs --cert');
  if (key === undefined) throw new WsbenchError('USAGE', '--cert needs --cert-key');
  return {
    clientCertificate: { cert: readText(cert, '--cert', io), key: readText(key, '--cert-key', io) },
  };
}

/**
 * Reads a file that an option names.
 *
 * @throws WsbenchError `USAGE` that names option and file
 */
export function readText(path: string, option: string, io: Io): string {
  return Buffer.from(readBytes(path, option, io)).toString('utf8');
}

/**
 * Reads a file that an option names, as bytes.
 *
 * @throws WsbenchError `USAGE` that names option and file
 */
export function readBytes(path: string, option: string, io: Io): Uint8Array {
  try {
    return readFileSync(resolve(io.cwd, path));
  } catch (cause) {
    throw new WsbenchError('USAGE', `${option}: cannot read ${path}: ${fileTrouble(cause)}`, { cause });
  }
}

/**
 * The value of an option that carries a secret: itself, `@file` or `env:NAME`, so that it can stay out of `ps`. It is
 * masked in every output from then on.
 *
 * @throws WsbenchError `USAGE` when file or variable is missing
 */
export function secretValue(text: string, option: string, io: Io): string {
  const value = givenSecret(text, option, io);
  keepSecret(value);
  return value;
}

function givenSecret(text: string, option: string, io: Io): string {
  if (text.startsWith('@')) return readText(text.slice(1), option, io).trim();
  if (!text.startsWith('env:')) return text;
  const name = text.slice(4);
  const value = io.env[name];
  // The name may be a secret, with `env:` put before it by mistake.
  if (!value) {
    const shown = /^[A-Z_][A-Z\d_]{0,63}$/i.test(name) ? ` ${name}` : ' variable of this name';
    throw new WsbenchError('USAGE', `${option}: the environment has no${shown}`);
  }
  return value;
}

/**
 * The tokens of `--tokens-file`, one a line. They are masked in every output from then on.
 *
 * @throws WsbenchError `USAGE` when the file cannot be read or has none
 */
export function tokensOfFile(path: string, io: Io): string[] {
  const tokens = readText(path, '--tokens-file', io)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (tokens.length === 0) throw new WsbenchError('USAGE', `--tokens-file: ${path} has no tokens`);
  for (const token of tokens) keepSecret(token);
  return tokens;
}

/**
 * The key that `--secret` or `--key` gives.
 *
 * @throws WsbenchError `USAGE` when both are given or the JWK cannot be read
 */
export function signingKey(flags: { secret?: string; key?: string }, io: Io): SigningKey | undefined {
  if (flags.secret !== undefined && flags.key !== undefined) {
    throw new WsbenchError('USAGE', '--secret and --key exclude each other');
  }
  if (flags.secret !== undefined) return { secret: secretValue(flags.secret, '--secret', io) };
  if (flags.key === undefined) return undefined;
  const text = readText(flags.key, '--key', io);
  try {
    const jwk: unknown = JSON.parse(text);
    if (isJwk(jwk) && ('d' in jwk || 'k' in jwk)) {
      keepKey(jwk);
      return { jwk };
    }
  } catch {
    // said below
  }
  throw new WsbenchError('USAGE', `--key: ${flags.key} is not a private JSON Web Key (JWK)`);
}

/** The target URL: the argument, else `WSBENCH_URL`, else undefined (the embedded server). */
export function targetArgument(argument: string | undefined, io: Io): string | undefined {
  const url = argument ?? (io.env.WSBENCH_URL || undefined);
  if (url !== undefined) keepUrlSecrets(url);
  return url;
}

const notReproduced = new Set([
  'output',
  'json',
  'quiet',
  'verbose',
  'color',
  'save',
  'debug',
  'only',
  'baseline',
  'saveBaseline',
]);
const secretOptions = new Set(['token', 'secret']);

/**
 * The command line that makes the same run again, in words that a shell takes. What is secret in it stands as a variable:
 * `--token env:TOKEN`, `-H "Authorization: $AUTHORIZATION"`.
 *
 * @param more options that are left out, by their names in the code, and words that follow the URL
 */
export function reproduceLine(
  name: string,
  url: string | undefined,
  command: Command,
  more: { leaveOut?: readonly string[]; words?: readonly string[] } = {},
): string {
  const { leaveOut = [] } = more;
  const given = [...(url === undefined ? [] : [url]), ...(more.words ?? [])];
  const words = ['wsbench', name, ...given.map((word) => shellWord(redactUrl(word), 'SECRET'))];
  for (const option of command.options) {
    const key = option.attributeName();
    const source = command.getOptionValueSource(key);
    if ((source !== 'cli' && source !== 'env') || notReproduced.has(key) || leaveOut.includes(key)) continue;
    const value: unknown = command.getOptionValue(key);
    const flag = option.long ?? option.short ?? '';
    if (typeof value === 'boolean') words.push(flag);
    else for (const one of maskedWords(key, [value].flat().map(String))) words.push(flag, one);
  }
  return words.join(' ');
}

function maskedWords(key: string, values: string[]): string[] {
  if (key === 'subprotocol') return redactSubprotocols(values).map((value) => shellWord(value, 'SECRET'));
  return values.map((value) => maskedWord(key, value));
}

function maskedWord(key: string, value: string): string {
  if (secretOptions.has(key)) {
    return shellWord(value.startsWith('@') || value.startsWith('env:') ? value : `env:${key.toUpperCase()}`);
  }
  if (key === 'header') {
    const [name, text] = parseHeader(value);
    return shellWord(`${name}: ${redactHeader(name, text)}`, variableOf(name));
  }
  if (key === 'env') {
    const [name, text] = parseVariable(value);
    return shellWord(`${name}=${redactNamed(name, text)}`, variableOf(name));
  }
  return shellWord(redactUrl(value), 'SECRET');
}

const variableOf = (name: string): string => name.replace(/\W/g, '_').toUpperCase();

/** A word as a shell takes it, what was masked in it as a variable. */
function shellWord(word: string, variable = 'SECRET'): string {
  if (word.includes('[redacted]')) {
    const quoted = word.replace(/[\\"$`]/g, '\\$&').replaceAll('[redacted]', `$${variable}`);
    return `"${quoted}"`;
  }
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
