// Options that several commands share, and how their values are read.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { WsbenchError } from '../lib/errors.ts';
import { fileTrouble } from '../lib/file-words.ts';
import { redactHeader, redactSubprotocols, redactUrl } from '../lib/result/redact.ts';
import { presetNames } from '../lib/target/presets.ts';
import type { ConnectOptions } from '../lib/target-options.ts';
import type { JWK, SigningKey } from '../lib/token.ts';
import type { Io } from './io.ts';

/** Collects a repeatable option. */
export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

/** Raw values of the options of {@link connectFlags}. */
export interface ConnectFlags {
  preset?: string;
  target?: string;
  env?: string[];
  tokenIn?: string;
  header?: string[];
  subprotocol?: string[];
  insecure?: boolean;
  cacert?: string;
}

/** Adds the options that say how to connect. */
export function connectFlags(command: Command): Command {
  return command
    .option('--preset <name>', `how the target talks: ${presetNames.join(', ')}`)
    .option('--target <file>', 'how the target talks, in a target file (docs/targets.md)')
    .option('-e, --env <name=value>', 'variable of the preset or target file (repeatable)', collect)
    .option('--token-in <place>', 'where tokens go: header, query, subprotocol, cookie or message[:…]')
    .option('-H, --header <k: v>', 'request header of the upgrade (repeatable)', collect)
    .option('--subprotocol <name>', 'subprotocol to offer (repeatable)', collect)
    .option('-k, --insecure', 'accept any TLS certificate')
    .option('--cacert <file>', 'certificate authorities to trust, PEM');
}

/**
 * Reads the options of {@link connectFlags}.
 *
 * @throws WsbenchError `USAGE` for a header without a colon or an unreadable file
 */
export function connectOptions(flags: ConnectFlags, io: Io): ConnectOptions {
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
  return [text.slice(0, sign), text.slice(sign + 1)];
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  const name = text.slice(0, colon).trim();
  const value = text.slice(colon + 1).trim();
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
 * The value of an option that carries a secret: itself, `@file` or `env:NAME`, so that it can stay out of `ps`.
 *
 * @throws WsbenchError `USAGE` when file or variable is missing
 */
export function secretValue(text: string, option: string, io: Io): string {
  if (text.startsWith('@')) return readText(text.slice(1), option, io).trim();
  if (!text.startsWith('env:')) return text;
  const name = text.slice(4);
  const value = io.env[name];
  if (!value) throw new WsbenchError('USAGE', `${option}: the environment has no ${name}`);
  return value;
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
    if (isPrivateJwk(jwk)) return { jwk };
  } catch {
    // said below
  }
  throw new WsbenchError('USAGE', `--key: ${flags.key} is not a private JSON Web Key (JWK)`);
}

function isPrivateJwk(value: unknown): value is JWK {
  return value !== null && typeof value === 'object' && 'kty' in value && ('d' in value || 'k' in value);
}

/** The target URL: the argument, else `WSBENCH_URL`, else undefined (the embedded server). */
export function targetArgument(argument: string | undefined, io: Io): string | undefined {
  return argument ?? (io.env.WSBENCH_URL || undefined);
}

const notReproduced = new Set(['output', 'json', 'quiet', 'color', 'save', 'debug', 'only']);
const secretOptions = new Set(['token', 'secret']);

/** The command line that makes the same run again, in words that a shell takes, its secrets masked. */
export function reproduceLine(name: string, url: string | undefined, command: Command): string {
  const words = ['wsbench', name, ...(url === undefined ? [] : [redactUrl(url)])];
  for (const option of command.options) {
    const key = option.attributeName();
    const source = command.getOptionValueSource(key);
    if ((source !== 'cli' && source !== 'env') || notReproduced.has(key)) continue;
    const value: unknown = command.getOptionValue(key);
    const flag = option.long ?? option.short ?? '';
    if (typeof value === 'boolean') words.push(flag);
    else for (const one of maskedValues(key, [value].flat().map(String))) words.push(flag, one);
  }
  return words.map(shellQuoted).join(' ');
}

function maskedValues(key: string, values: string[]): string[] {
  return key === 'subprotocol' ? redactSubprotocols(values) : values.map((value) => maskedValue(key, value));
}

function maskedValue(key: string, value: string): string {
  if (secretOptions.has(key)) return value.startsWith('@') || value.startsWith('env:') ? value : 'env:TOKEN';
  if (key !== 'header') return redactUrl(value);
  const [name, text] = parseHeader(value);
  return `${name}: ${redactHeader(name, text)}`;
}

function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
