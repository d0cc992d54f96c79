// wsbench token inspect: what a token says, what looks wrong, and whether its signature is good. Sends nothing.
import type { Command } from 'commander';
import { WsbenchError } from '../../lib/errors.ts';
import { keepSecret, redactOptions } from '../../lib/result/redact.ts';
import { type CheckingKey, checkSignature, inspectToken, type TokenFacts } from '../../lib/token.ts';
import { newCommand } from '../command.ts';
import { harmless, type Io, note } from '../io.ts';
import { readJwks } from '../jwks-files.ts';
import { secretValue } from '../options.ts';

interface InspectFlags {
  secret?: string;
  key?: string;
  jwks?: string;
  json?: boolean;
}

/** What was found out about a signature. */
type Signature = { state: 'not checked' | 'good' } | { state: 'bad'; why: string };

// A token longer than this is none.
const longestInput = 1024 * 1024;

const help = `
The token is an argument, better @file, env:NAME or - (standard input): what is typed stays in the shell's history. It is
never printed back. Without a key the signature is not checked.

Exit codes: 0 decoded; with a key: good, and valid now · 1 with a key: a bad signature, expired or not yet valid
            2 not a token`;

/** The `token inspect` command. */
export function inspectCommand(io: Io): Command {
  return newCommand('inspect', io)
    .description('decode a token: claims, kind, what looks wrong; sends nothing')
    .argument('[token]', 'token, @file, env:NAME or - (default: WSBENCH_TOKEN)')
    .option('--secret <secret>', 'check the signature with this HS256 secret, @file or env:NAME')
    .option('--key <file>', 'check the signature with this JWK, public or private')
    .option('--jwks <file>', 'check the signature with this set of JWKs')
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', help)
    .action((token: string | undefined, flags: InspectFlags) => inspect(token, flags, io));
}

async function inspect(argument: string | undefined, flags: InspectFlags, io: Io): Promise<void> {
  const key = checkingKey(flags, io);
  const token = await givenToken(argument, io);
  const facts = inspectToken(token, Date.now());
  const bare = token.trim().replace(/^(authorization\s*:\s*)?bearer\s+/i, '');
  const signature = await signatureOf(bare, key);
  // A claim may hold a token in turn.
  const shown = {
    ...facts,
    header: redactOptions(facts.header) as Record<string, unknown>,
    claims: redactOptions(facts.claims) as Record<string, unknown>,
  };
  io.stdout.write(flags.json ? jsonOf(shown, signature) : textOf(shown, signature));
  const reason = failure(facts, signature);
  if (reason === undefined) return;
  note(io, `exit 1: ${reason}`);
  io.exit(1);
}

function failure({ refusedNow }: TokenFacts, signature: Signature): string | undefined {
  if (signature.state === 'not checked') return undefined;
  if (signature.state === 'bad') return `bad signature: ${signature.why}`;
  return refusedNow ? 'the signature is good, but the token is not valid now' : undefined;
}

async function signatureOf(token: string, key: CheckingKey | undefined): Promise<Signature> {
  if (!key) return { state: 'not checked' };
  const verdict = await checkSignature(token, key);
  return verdict.good ? { state: 'good' } : { state: 'bad', why: verdict.why };
}

function checkingKey(flags: InspectFlags, io: Io): CheckingKey | undefined {
  const given = [flags.secret, flags.key, flags.jwks].filter((value) => value !== undefined);
  if (given.length > 1) throw new WsbenchError('USAGE', '--secret, --key and --jwks exclude each other');
  if (flags.secret !== undefined) return { secret: secretValue(flags.secret, '--secret', io) };
  if (flags.key !== undefined) return { jwks: { keys: readJwks(flags.key, '--key', io) } };
  if (flags.jwks !== undefined) return { jwks: { keys: readJwks(flags.jwks, '--jwks', io) } };
  return undefined;
}

async function givenToken(argument: string | undefined, io: Io): Promise<string> {
  const source = argument ?? io.env.WSBENCH_TOKEN;
  if (source === undefined || source === '') {
    throw new WsbenchError(
      'USAGE',
      'token inspect: which token? wsbench token inspect env:TOKEN, @file, or - for standard input',
    );
  }
  const token = source === '-' ? await readInput(io) : secretValue(source, 'token', io);
  keepSecret(token);
  return token;
}

async function readInput(io: Io): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of io.stdin) {
    chunks.push(Buffer.from(chunk));
    bytes += chunk.length;
    if (bytes > longestInput) throw new WsbenchError('USAGE', 'token inspect: standard input is too long');
  }
  return Buffer.concat(chunks).toString('utf8').trim();
}

function jsonOf(facts: TokenFacts, signature: Signature): string {
  const { refusedNow: _refusedNow, ...rest } = facts;
  const json = JSON.stringify(
    { ...rest, signature: signature.state, ...('why' in signature ? { why: signature.why } : {}) },
    null,
    2,
  );
  return `${linesOf(json).join('\n')}\n`;
}

function textOf(facts: TokenFacts, signature: Signature): string {
  const when = new Map(facts.times.map(({ claim, at, words }) => [claim, `${at}, ${words}`]));
  const rows = (values: Record<string, unknown>): string[] => {
    const width = Math.max(0, ...Object.keys(values).map((name) => name.length));
    return Object.entries(values).map(([name, value]) => {
      const shown = when.get(name) ?? (typeof value === 'string' ? value : JSON.stringify(value));
      return `  ${name.padEnd(width)}  ${shown}`;
    });
  };
  const how = {
    'not checked': 'not checked (give --secret, --key or --jwks)',
    good: 'good',
    bad: 'why' in signature ? `bad: ${signature.why}` : 'bad',
  }[signature.state];
  const lines = [
    facts.title,
    '',
    'Header',
    ...rows(facts.header),
    '',
    'Claims',
    ...rows(facts.claims),
    '',
    `Signature: ${how}`,
  ];
  if (facts.problems.length > 0)
    lines.push('', 'Looks wrong', ...facts.problems.map((text) => `  - ${text}`));
  return `${lines.map(harmless).join('\n')}\n`;
}

const linesOf = (text: string): string[] => text.split('\n').map(harmless);
