// wsbench conform: what it lists, and what it refuses before anything is sent.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptyFolder, run } from './spawn.ts';

const timeout = 60_000;

// Each waits for its processes most of the time.
describe('conform', { concurrency: 3 }, () => {
  test('conform: lists', { timeout }, async (t) => {
    const cwd = emptyFolder(t);
    const text = await run(['conform', '--list', '7.9', '--exclude', '7.9.1'], { cwd });
    assert.equal(text.code, 0);
    assert.equal(text.stdout.trim().split('\n').length, 9);
    const json = await run(['conform', '--list', '--json'], { cwd });
    const listed = JSON.parse(json.stdout) as {
      id: string;
      title: string;
      requirement: string;
      spec: string;
    }[];
    assert.equal(listed.length, 517);
    assert.ok(
      listed.every(
        ({ title, requirement, spec }) => title !== '' && requirement !== '' && /RFC \d+ §/.test(spec),
      ),
    );
    const quick = await run(['conform', '--list', '--quick', '6', '--json'], { cwd });
    assert.ok(JSON.parse(quick.stdout).every(({ id }: { id: string }) => id.startsWith('6.')));
  });

  // biome-ignore format: a table
  const wrong: [name: string, args: string[], stderr: RegExp][] = [
  ['no target', ['1'], /no target: write wsbench conform ws:\/\/host:port\/path/],
  ['no such case', ['ws://127.0.0.1:1/', '8'], /8: no such case; there are sections 1, 2/],
  ['nothing to exclude', ['ws://127.0.0.1:1/', '--exclude', '11'], /--exclude 11: no such case/],
  ['nothing left', ['ws://127.0.0.1:1/', '1', '--exclude', '1'], /no case is left/],
  ['nothing left of the quick ones', ['ws://127.0.0.1:1/', '9.5', '--quick'], /no case is left: --quick has none of those/],
  ['not a URL', ['localhost:9001', '1'], /not a URL; write it like ws:\/\//],
  ['an agent without a name', ['--agent', 'ws://127.0.0.1:1/?a=b'], /--agent: there is no name before a =/],
  ['two of one name', ['--agent', 'a=ws://127.0.0.1:1/', '--agent', 'a=ws://127.0.0.1:2/'], /two servers are called "a"/],
  ['update of nothing', ['ws://127.0.0.1:1/', '--update'], /--update needs --expect FILE/],
  ['full and some', ['ws://127.0.0.1:1/', '--full', '--messages', '5'], /--full and --messages exclude each other/],
  ['jobs of words', ['ws://127.0.0.1:1/', '-j', 'many'], /--jobs: "many" is not a whole number/],
  ['unknown strictness', ['ws://127.0.0.1:1/', '--strictness', 'strict'], /Allowed choices are autobahn, rfc/],
  ['a token in a message', ['ws://127.0.0.1:1/', '--token', 'a', '--token-in', 'message:{{ token }}'], /would be one of theirs/],
  ['a missing spec', ['--spec', 'nowhere.json'], /cannot read spec nowhere\.json/],
  ['a certificate without its key', ['wss://127.0.0.1:1/', '--cert', 'nowhere.pem'], /--cert needs --cert-key/],
  ['a proxy that is none', ['ws://127.0.0.1:1/', '-x', 'ftp://x'], /no URL of a proxy/],
  ['an unknown report', ['ws://127.0.0.1:1/', '-o', 'x.docx'], /no report format/],
];

  for (const [name, args, stderr] of wrong) {
    test(`conform: ${name} is one line and exit 2`, { timeout }, async (t) => {
      const result = await run(['conform', ...args], { cwd: emptyFolder(t) });
      assert.match(result.stderr, stderr);
      assert.equal(result.code, 2, result.stderr);
      assert.equal(result.stdout, '');
      assert.equal(result.stderr.trim().split('\n').length, 1, result.stderr);
    });
  }
});
