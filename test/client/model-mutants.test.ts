// Whether the model check bites: the client with one thing broken at a time must fail it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isLong } from '../require.ts';

const dist = fileURLToPath(new URL('../../', import.meta.url));
const timeout = 120_000;

/** What is broken, in which module of the client, and how. */
const mutants: readonly { what: string; file: string; from: string; to: string; isQuick?: true }[] = [
  {
    what: 'an old message is sent again',
    file: 'outbox.js',
    from: '> rememberedMs',
    to: '> 1e12',
  },
  {
    what: 'a message is sent again under another name',
    file: 'client.js',
    from: 'before.sub !== welcome.sub',
    to: 'false',
  },
  {
    what: 'a message is sent again under another id',
    file: 'outbox.js',
    from: 'send(entry.text)',
    to: 'send(entry.firstSentOn === entry.sentOn ? entry.text : entry.text.replace(/"id":"m/, \'"id":"again-m\'))',
    isQuick: true,
  },
  {
    what: 'what was sent is forgotten when the connection ends',
    file: 'outbox.js',
    from: "else if (entry.state === 'sent')\n                this.#queue(entry);",
    to: "else if (entry.state === 'sent') this.#byId.delete(entry.id);",
    isQuick: true,
  },
  {
    what: 'what was sent counts as never sent',
    file: 'outbox.js',
    from: "entry.firstSentOn === 0 ? 'none' : 'unknown'",
    to: "'none'",
  },
  {
    what: 'subscriptions are not restored',
    file: 'client.js',
    from: 'this.#channels.opened();',
    to: 'if (this.#connections === 1) this.#channels.opened();',
    isQuick: true,
  },
  {
    what: 'subscriptions are restored without since',
    file: 'channels.js',
    from: 'since ? { channel: name, since } : { channel: name }',
    to: '{ channel: name }',
    isQuick: true,
  },
  {
    what: 'a message that was seen is handed on again',
    file: 'subscription.js',
    from: 'if (at.offset <= seen.offset)\n                return;',
    to: '',
  },
  {
    what: 'a gap is kept quiet',
    file: 'subscription.js',
    from: "else if (!recovered)\n            this.lose('server', at);",
    to: 'else if (!recovered) this.#position = at;',
  },
  {
    what: 'a black hole is not noticed',
    file: 'heartbeat.js',
    from: 'this.#dead();',
    to: ';',
    isQuick: true,
  },
  {
    what: 'an expired token is good enough',
    file: 'tokens.js',
    from: 'this.leftMs(token) <= travelMs',
    to: 'false',
  },
  {
    what: 'a provider may hang',
    file: 'tokens.js',
    from: "this.#giveUp?.(new ClientError('TOKEN', `the token provider took",
    to: "(() => {})(new ClientError('TOKEN', `the token provider took",
  },
  {
    what: 'a timer outlives close()',
    file: 'client.js',
    from: 'this.#cancelStable();',
    to: '',
    isQuick: true,
  },
  {
    what: 'a socket outlives close()',
    file: 'client.js',
    from: "link.close(1000, '');",
    to: '',
  },
  {
    what: 'the deadline outlives the answer',
    file: 'outbox.js',
    from: 'entry.cancelTimer();',
    to: '',
  },
];

const folder = mkdtempSync(join(tmpdir(), 'wsbench-model-'));
after(() => rmSync(folder, { recursive: true, force: true }));
symlinkSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(folder, 'node_modules'));
writeFileSync(join(folder, 'package.json'), '{"type":"module"}');

for (const [n, { what, file, from, to, isQuick }] of mutants.entries()) {
  const skip = !isQuick && !isLong ? 'one of the long tests' : false;
  test(`it finds: ${what}`, { timeout, skip }, async () => {
    const root = join(folder, String(n));
    mkdirSync(root);
    for (const part of ['lib/client', 'test/client', 'test/reference-server/fake-clock.js']) {
      cpSync(join(dist, part), join(root, part), { recursive: true });
    }
    const path = join(root, 'lib/client', file);
    const source = readFileSync(path, 'utf8');
    assert.ok(source.includes(from), `${file} no longer has: ${from}`);
    writeFileSync(
      path,
      source.replace(from, () => to),
    );
    const child = spawn(process.execPath, [join(root, 'test/client/model.test.js')], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // Without what the runner of this file tells its children, or the output would be for that one.
      env: { ...process.env, NODE_TEST_CONTEXT: undefined, WSBENCH_MODEL_MUTANT: '1' },
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    assert.equal(code, 1);
    assert.match(output, /Property failed|asynchronous activity|ERR_ASSERTION/);
  });
}
