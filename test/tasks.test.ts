// docs/tasks.md, as a new user would go through it: each command is run against a server of its kind.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createServer, mintToken } from '../lib/index.ts';
import { phoenixSecret } from './fixtures/preset-peers.ts';
import { startLoadServer, startPeer } from './fixtures/server-process.ts';
import { startTalkServer } from './fixtures/talk-server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = readFileSync(join(root, 'docs/tasks.md'), 'utf8');
const token = await mintToken({ secret: phoenixSecret }, { roles: ['dashboard'], expiresInS: 3600 });
const realtime = { secret: phoenixSecret, apikey: 'sb_publishable_1' };

const echo = async (t: TestContext): Promise<string> => (await startLoadServer(t, { mode: 'echo' })).host;

/** What listens at the page's example addresses. */
const servers: Record<string, (t: TestContext) => Promise<string>> = {
  '8001': echo,
  '8002': async (t) => (await startPeer(t, 'json-rpc')).host,
  '8012': async (t) => (await startPeer(t, 'json-rpc', { token })).host,
  '8003': async (t) => (await startPeer(t, 'phoenix', realtime)).host,
  '8013': async (t) => (await startPeer(t, 'phoenix')).host,
  '8004': async (t) => (await startPeer(t, 'graphql')).host,
  '8014': async (t) => (await startPeer(t, 'graphql', { token })).host,
  '8005': async (t) => (await startPeer(t, 'socket-io')).host,
  '8015': async (t) => (await startPeer(t, 'socket-io', { token })).host,
  '8006': echo,
  '8007': async (t) => (await startLoadServer(t, { mode: 'mute' })).host,
  '8008': referenceServer,
  '8009': tokenServer,
};

async function referenceServer(t: TestContext): Promise<string> {
  const server = await createServer({ limits: 'test', environment: 'test', secret: phoenixSecret });
  t.after(() => server.close());
  return new URL(await server.listen()).host;
}

/** Echoes to whoever brings the token, at whatever place; hangs up on everybody else. */
async function tokenServer(t: TestContext): Promise<string> {
  const url = await startTalkServer(
    t,
    (socket, request, onText) => {
      let isIn = bringsToken(request);
      onText((message) => {
        if (isIn) socket.send(message);
        else if (message === JSON.stringify({ login: token })) isIn = true;
        else socket.close(4401);
      });
    },
    { handleProtocols: (offered) => offered.has('chat.v1') && 'chat.v1' },
  );
  return new URL(url).host;
}

function bringsToken({ headers, url = '/' }: IncomingMessage): boolean {
  return (
    headers.authorization === `Bearer ${token}` ||
    headers['x-api-key'] === token ||
    new URL(url, 'ws://localhost').searchParams.get('access_token') === token ||
    (headers.cookie === `session=${token}` && headers.origin === 'https://app.example') ||
    headers['sec-websocket-protocol']?.replaceAll(' ', '') === `chat.v1,bearer.${token}`
  );
}

const sections = text.split(/^## /m).slice(1);

// A load of a second leaves a processor idle most of the time.
describe('tasks', { concurrency: 2 }, () => {
  for (const section of sections) {
    const [title = ''] = section.split('\n');
    const blocks = [...section.matchAll(/```(sh|yaml)\n([\s\S]*?)```/g)];
    const commands = blocks.flatMap(([, kind, body]) =>
      kind === 'sh' ? (body ?? '').trim().split('\n') : [],
    );
    test(title, { timeout: 120_000 }, async (t) => {
      assert.ok(commands.length > 0, 'a task has a command');
      const folder = mkdtempSync(join(tmpdir(), 'wsbench-tasks-'));
      t.after(() => rmSync(folder, { recursive: true, force: true }));
      for (const [, kind, body = ''] of blocks) {
        const name = /^# (\S+)/.exec(body)?.[1];
        if (kind === 'yaml' && name !== undefined) writeFileSync(join(folder, name), body);
      }
      const hosts = new Map<string, string>();
      for (const command of commands) {
        for (const [address, port = ''] of command.matchAll(/localhost:(\d+)/g)) {
          const start = servers[port];
          assert.ok(start, `nothing is known to listen at ${address}`);
          if (!hosts.has(address)) hosts.set(address, await start(t));
        }
        const line = [...hosts].reduce((made, [address, host]) => made.replaceAll(address, host), command);
        let { code, output } = await shell(line, folder);
        if (code === 4 && !isGood(code, output)) ({ code, output } = await shell(line, folder));
        assert.ok(isGood(code, output), `exit ${code}: ${line}\n${output}`);
        // Nobody wants to see these in a log of CI.
        assert.ok(!output.includes(phoenixSecret) && !output.includes(token), line);
      }
    });
  }
});

/**
 * Whether a command did what it should: also a load on a machine too busy to measure (exit 4) has to lose nothing, and the
 * doctor of such a machine has to say so.
 */
function isGood(code: number, output: string): boolean {
  if (code === 4 && /NOT FIT TO MEASURE|"outcome": "inconclusive"/.test(output)) return true;
  return code === 0 || (code === 4 && /✓ (error_rate|recovery)/.test(output) && !output.includes('✗'));
}

function shell(line: string, folder: string): Promise<{ code: number; output: string }> {
  const script = `wsbench() { '${process.execPath}' '${join(root, 'cli/wsbench.js')}' "$@"; }\n${line}`;
  // Loads are short here, unless the command says how long.
  const short = {
    WSBENCH_DURATION: '1s',
    WSBENCH_WARMUP: '200ms',
    WSBENCH_BEFORE: '500ms',
    WSBENCH_AFTER: '300ms',
    LANG: 'C.UTF-8',
  };
  const env = { PATH: process.env.PATH, JWT_SECRET: phoenixSecret, TOKEN: token, ...short };
  return new Promise((resolve) => {
    const child = execFile('/bin/sh', ['-c', script], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: `${stdout}\n${stderr}` });
    });
    child.stdin?.end();
  });
}
