// wsbench token: tokens and keys for tests.
import type { Command } from 'commander';
import { newCommand } from '../command.ts';
import type { Io } from '../io.ts';
import { inspectCommand } from './token-inspect.ts';
import { jwksCommand, keygenCommand } from './token-keys.ts';
import { mintCommand } from './token-mint.ts';

/** The `token` command. */
export function tokenCommand(io: Io): Command {
  return newCommand('token', io)
    .description('mint and inspect JWTs (Supabase-compatible), make keys')
    .addCommand(mintCommand(io), { isDefault: true })
    .addCommand(inspectCommand(io))
    .addCommand(jwksCommand(io))
    .addCommand(keygenCommand(io));
}
