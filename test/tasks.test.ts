// docs/tasks.md, as a new user would go through it: each command is run against a server of its kind.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createServer } from '../lib/index.ts';
import { phoenixSecret } from './fixtures/preset-peers.ts';
import { startLoadServer, startPeer } from './fixtures/server-process.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const text = readFileSync(join(root, 'docs/tasks.md'), 'utf8');

/** What listens at the page's example addresses. */
const servers: Record<string, (t: TestContext) => Promise<string>> = {
  '8001': async (t) => (await startLoadServer(t, { mode: 'echo' })).host,
  '8002': async (t) => (await startPeer(t, 'json-rpc')).host,
  '8003': async (t) =>
    (await startPeer(t, 'phoenix', { secret: phoenixSecret, apikey: 'sb_publishable_1' })).host,
  '8004': async (t) => (await startPeer(t, 'graphql')).host,
  '8005': async (t) => (await startPeer(t, 'socket-io')).host,
  '8006': async (t) => (await startLoadServer(t, { mode: 'echo' })).host,
  '8007': async (t) => (await startLoadServer(t, { mode: 'mute' })).host,
  '8008': async (t) => {
    const server = await createServer({
      limits: 'development',
      environment: 'development',
      secret: phoenixSecret,
    });
    t.after(() => server.close());
    return new URL(await server.listen()).host;
  },
};

const sections = text.split(/^## /m).slice(1);

for (const section of sections) {
  const [title = ''] = section.split('\n');
  const blocks = [...section.matchAll(/```(sh|yaml)\n([\s\S]*?)```/g)];
  const commands = blocks.flatMap(([, kind, body]) => (kind === 'sh' ? (body ?? '').trim().split('\n') : []));
  test(`tasks: ${title}`, { timeout: 120_000 }, async (t) => {
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
      const { code, output } = await runConclusive(line, folder);
      assert.equal(code, 0, `${line}\n${output}`);
    }
  });
}

/** Runs a command line as a shell does; once more where the machine was too busy to measure. */
async function runConclusive(line: string, folder: string): Promise<{ code: number; output: string }> {
  for (let attempt = 1; ; attempt++) {
    const run = await shell(line, folder);
    if (run.code !== 4 || attempt === 3) return run;
  }
}

function shell(line: string, folder: string): Promise<{ code: number; output: string }> {
  const script = `wsbench() { '${process.execPath}' '${join(root, 'cli/wsbench.js')}' "$@"; }\n${line}`;
  const env = { PATH: process.env.PATH, JWT_SECRET: phoenixSecret };
  return new Promise((resolve) => {
    const child = execFile('/bin/sh', ['-c', script], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 1) : 0, output: `${stdout}\n${stderr}` });
    });
    child.stdin?.end();
  });
}
