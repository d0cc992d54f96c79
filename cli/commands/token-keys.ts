// wsbench token jwks and token keygen: the keys that tokens are signed with and checked by.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { WsbenchError } from '../../lib/errors.ts';
import { generateSigningKey, type JWK, publicJwk } from '../../lib/token.ts';
import { newCommand } from '../command.ts';
import { type Io, note } from '../io.ts';
import { readJwks } from '../jwks-files.ts';
import { collect } from '../options.ts';
import { openText, stdoutPath } from '../report-files.ts';

/** The `token jwks` command. */
export function jwksCommand(io: Io): Command {
  return newCommand('jwks', io)
    .description('the public JWKS of keys, for a server to check tokens with')
    .requiredOption('--key <file>', 'JWK or JWKS, private or public (repeatable)', collect)
    .option('-o, --output <file>', 'write it to a file')
    .action((flags: { key: string[]; output?: string }) => jwks(flags, io));
}

async function jwks(flags: { key: string[]; output?: string }, io: Io): Promise<void> {
  const keys: JWK[] = [];
  for (const path of flags.key) {
    for (const key of readJwks(path, '--key', io)) {
      try {
        keys.push(await publicJwk(key));
      } catch (error) {
        if (!(error instanceof WsbenchError)) throw error;
        throw new WsbenchError(error.code, `--key: ${path}: ${error.message}`, { cause: error });
      }
    }
  }
  const ids = keys.map(({ kid }) => kid);
  const twice = ids.find((kid, index) => ids.indexOf(kid) !== index);
  if (twice !== undefined) throw new WsbenchError('USAGE', `--key: two keys have the kid "${twice}"`);
  put(`${JSON.stringify({ keys }, null, 2)}\n`, flags.output, io);
}

/** The `token keygen` command. */
export function keygenCommand(io: Io): Command {
  return newCommand('keygen', io)
    .description('make a key to sign tokens with: a private JWK')
    .addOption(new Option('--alg <name>', 'algorithm').choices(['ES256', 'RS256', 'EdDSA']).default('ES256'))
    .option('-o, --output <file>', 'write it to a new file that only you can read')
    .action((flags: { alg: 'ES256' | 'RS256' | 'EdDSA'; output?: string }) => keygen(flags, io));
}

async function keygen(flags: { alg: 'ES256' | 'RS256' | 'EdDSA'; output?: string }, io: Io): Promise<void> {
  if (flags.output === undefined) {
    throw new WsbenchError('USAGE', 'token keygen: give -o FILE, or -o - to print the private key');
  }
  // A key that is written over is lost, and every token that it signed with it.
  if (flags.output !== stdoutPath && existsSync(resolve(io.cwd, flags.output))) {
    throw new WsbenchError(
      'USAGE',
      `token keygen: ${flags.output} is there already: a key is not written over`,
    );
  }
  const { jwk } = await generateSigningKey(flags.alg);
  put(`${JSON.stringify(jwk, null, 2)}\n`, flags.output, io, 0o600);
  if (flags.output !== stdoutPath) {
    note(io, `Wrote ${flags.output}; the public half: wsbench token jwks --key ${flags.output}`);
  }
}

function put(text: string, path: string | undefined, io: Io, mode?: number): void {
  if (path === undefined || path === stdoutPath) io.stdout.write(text);
  else openText(path, io.cwd, undefined, mode).write(text);
}
