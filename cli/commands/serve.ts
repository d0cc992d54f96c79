// wsbench serve: the reference server, until a signal ends it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { type Command, Option } from 'commander';
import { formatDuration, parseDurationMs } from '../../lib/duration.ts';
import { WsbenchError } from '../../lib/errors.ts';
import { createServer, type ReferenceServer } from '../../lib/index.ts';
import { keepNamedSecret, keepUrlSecrets } from '../../lib/result/redact.ts';
import { version } from '../../lib/version.ts';
import { configFromEnv, configKeys } from '../../reference-server/config.ts';
import type { LogEntry } from '../../reference-server/index.ts';
import { newCommand } from '../command.ts';
import { type Io, note } from '../io.ts';

interface ServeFlags {
  host?: string;
  port?: string;
  limits?: 'development' | 'production' | 'test' | 'off';
  jwksUrl?: string;
  jwtIssuer?: string;
  jwtAudience?: string;
  allowedOrigins?: string;
  allowQueryToken?: boolean;
  trustedProxies?: string;
  redis?: 'required' | 'optional';
  drainTimeout?: string;
  drainWindow?: string;
  json?: boolean;
}

/** The `serve` command. */
export function serveCommand(io: Io): Command {
  return newCommand('serve', io)
    .description('run the reference server')
    .option('--host <address>', 'address to listen on (default 127.0.0.1, or HOST)')
    .option('-p, --port <n>', 'port to listen on (default 8080, or PORT)')
    .addOption(
      new Option('--limits <name>', 'rate limits (default: those of NODE_ENV, else development)').choices([
        'development',
        'production',
        'test',
        'off',
      ]),
    )
    .option('--jwks-url <url>', 'public keys that tokens are verified with (default: those of SUPABASE_URL)')
    .option('--jwt-issuer <text>', 'iss that tokens must have (default: that of SUPABASE_URL)')
    .option('--jwt-audience <text>', 'aud that tokens must have (default: authenticated with SUPABASE_URL)')
    .option(
      '--allowed-origins <list>',
      'pages that may connect; others get 403, and the cookie "token" counts',
    )
    .option('--allow-query-token', 'take tokens from the URL (?token=) in production, too')
    .option(
      '--trusted-proxies <list>',
      'proxies whose X-Forwarded-For counts for limits per IP (default TRUSTED_PROXIES)',
    )
    .addOption(
      new Option(
        '--redis <word>',
        'whether to start without the Redis of REDIS_URL (default required)',
      ).choices(['required', 'optional']),
    )
    .option('--drain-timeout <time>', 'time that clients get to leave at shutdown (default 5s)')
    .option('--drain-window <time>', 'time in which they should come back (default: by their number)')
    .option('--json', 'print address and token as JSON')
    .action((flags: ServeFlags) => serve(flags, io));
}

async function serve(flags: ServeFlags, io: Io): Promise<void> {
  const env = { ...fromDotEnv(io), ...definedOnly(io.env) };
  for (const key of configKeys) {
    keepNamedSecret(key, env[key] ?? '');
    keepUrlSecrets(env[key] ?? '');
  }
  const options = configFromEnv(env, {
    ...(flags.host === undefined ? {} : { host: flags.host }),
    ...(flags.port === undefined ? {} : { port: flags.port }),
    ...(flags.limits === undefined ? {} : { limits: flags.limits }),
    ...(flags.jwksUrl === undefined ? {} : { jwksUrl: flags.jwksUrl }),
    ...(flags.jwtIssuer === undefined ? {} : { jwtIssuer: flags.jwtIssuer }),
    ...(flags.jwtAudience === undefined ? {} : { jwtAudience: flags.jwtAudience }),
    ...(flags.allowedOrigins === undefined ? {} : { allowedOrigins: flags.allowedOrigins }),
    ...(flags.allowQueryToken === undefined ? {} : { allowQueryToken: flags.allowQueryToken }),
    ...(flags.trustedProxies === undefined ? {} : { trustedProxies: flags.trustedProxies }),
    ...(flags.redis === undefined ? {} : { redis: flags.redis }),
  });
  const { drainTimeout, drainWindow } = flags;
  if (drainTimeout !== undefined) options.drainTimeoutMs = drainMs(drainTimeout, '--drain-timeout');
  if (drainWindow !== undefined) options.drainWindowMs = drainMs(drainWindow, '--drain-window');
  const logger = (entry: LogEntry): void => note(io, `${entry.level}: ${entry.message}`);
  const server = await createServer({ port: 8080, ...options, logger });
  const url = await server.listen();
  const token =
    server.auth === 'ephemeral' ? await server.mint({ roles: ['dashboard', 'agent'] }) : undefined;
  for (const warning of server.warnings) note(io, `warning: ${warning}`);
  if (flags.json) {
    const { httpUrl: http, auth, limits, tokenIn } = server;
    io.stdout.write(`${JSON.stringify({ url: `${url}/ws`, http, auth, limits, tokenIn, token })}\n`);
  } else {
    io.stdout.write(banner(url, server, token));
  }
  io.finishMs = server.drainTimeoutMs;
  io.atCrash(() => giveUp(server, io));
  if (!io.signal.aborted) {
    await new Promise((resolve) => io.signal.addEventListener('abort', resolve, { once: true }));
  }
  note(io, 'draining: clients are told to go (1001)');
  await server.close();
}

const longestDrainMs = 3_600_000;

function drainMs(text: string, flag: string): number {
  const ms = parseDurationMs(text, flag);
  if (ms <= longestDrainMs) return ms;
  throw new WsbenchError('USAGE', `${flag}: "${text}" is not from 0s to 1h`);
}

/** After an error that nobody caught: says how things stood, and sends the clients to whoever takes over. */
async function giveUp(server: ReferenceServer, io: Io): Promise<void> {
  const { open, draining } = server.app.connections;
  const facts = [
    `${open.size} connections${draining ? ', draining' : ''}`,
    `up for ${formatDuration(performance.now())}`,
    `${Math.round(process.memoryUsage.rss() / 1024 ** 2)} MiB resident`,
    `wsbench ${version} on Node ${process.version}`,
  ];
  note(io, `error: ${facts.join('; ')}`);
  note(io, 'draining: clients are told to come back (1012)');
  await server.close('failure');
}

function banner(url: string, { auth, limits, tokenIn }: ReferenceServer, token: string | undefined): string {
  const lines = [
    `wsbench reference server on ${url}   limits: ${limits}   auth: ${auth}`,
    `  ${url}/ws  /ws/dashboard  /ws/agent   typed protocol (docs/protocol.md)`,
    `  ${url}/ws/echo                        raw echo`,
    `  tokens: ${tokenIn.join(', ')} (docs/auth.md)   subprotocol: wsbench.v1`,
  ];
  if (token !== undefined) {
    lines.push(
      '',
      'Ephemeral key, made at start: not for production. A token for one hour:',
      '',
      `TOKEN=${token}`,
    );
  }
  lines.push(
    '',
    `Try: wsbench quick ${url}/ws --preset wsbench${token === undefined ? '' : ' --token env:TOKEN'}`,
    '',
  );
  return lines.join('\n');
}

/** The server's own keys from `.env` in the working directory; the real environment wins over them. */
function fromDotEnv(io: Io): Record<string, string> {
  let text: string;
  try {
    text = readFileSync(join(io.cwd, '.env'), 'utf8');
  } catch {
    return {};
  }
  const parsed = definedOnly(parseEnv(text));
  const used = configKeys.filter((key) => parsed[key] !== undefined && io.env[key] === undefined);
  if (used.length > 0) note(io, `.env: using ${used.join(', ')}`);
  return Object.fromEntries(used.map((key) => [key, parsed[key] ?? '']));
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}
