// wsbench conform with known verdicts and Autobahn's own file, and two runs compared.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseResult } from '../../lib/index.ts';
import type { ConformResult } from '../../lib/result/result.ts';
import { startBroken, startEcho } from '../fixtures/echoes.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';
import { emptyFolder, type Finished, run, start, until } from './spawn.ts';

const timeout = 60_000;

function resultOf(finished: Finished): ConformResult {
  const result = parseResult(finished.stdout, 'stdout');
  assert.equal(result.kind, 'conform');
  return result as ConformResult;
}

// Each waits for its processes most of the time.
describe('conform', { concurrency: 3 }, () => {
  test('conform: known verdicts are written, kept, and compared with', { timeout: 120_000 }, async (t) => {
    const good = await startEcho(t);
    const broken = await startBroken(t);
    const cwd = emptyFolder(t);
    const conform = (url: string, ...more: string[]): Promise<Finished> =>
      run(['conform', url, '1.1.2', '2.1', '3.2', '--no-save', '-q', ...more], { cwd });
    const missing = await conform(broken, '--expect', 'known.yml');
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /--expect: cannot read known\.yml: no such file/);
    const first = await conform(broken, '--expect', 'known.yml', '--update');
    assert.equal(first.code, 0, first.stdout + first.stderr);
    const written = readFileSync(join(cwd, 'known.yml'), 'utf8');
    assert.match(written, /^"1\.1\.2": \{ "behavior": "FAILED", "close": "WRONG CODE" \}$/m);
    assert.match(written, /^"2\.1": "OK"$/m);
    const same = await conform(broken, '--expect', 'known.yml');
    assert.equal(same.code, 0, same.stdout);
    assert.match(same.stdout, /Failed as expected +1\.1\.2/);
    const better = await conform(good, '--expect', 'known.yml');
    assert.equal(better.code, 0, better.stdout);
    assert.match(better.stdout, /Better than expected +1\.1\.2/);
    const updated = await conform(good, '--expect', 'known.yml', '--update');
    assert.equal(updated.code, 0);
    assert.match(readFileSync(join(cwd, 'known.yml'), 'utf8'), /^"1\.1\.2": "OK"$/m);
    const worse = await conform(broken, '--expect', 'known.yml');
    assert.equal(worse.code, 1);
    assert.match(worse.stderr, /^exit 1: 2 of 3 cases are worse than expected: 1\.1\.2, 3\.2$/m);
    writeFileSync(join(cwd, 'known.yml'), '2.1: OK\n9.9.9: OK\n');
    const unknown = await conform(good, '--expect', 'known.yml');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /known\.yml:2:1 9\.9\.9: no such case; 9 has 54 cases/);
  });

  test("conform: Autobahn's own file", { timeout }, async (t) => {
    const url = await startEcho(t);
    const cwd = emptyFolder(t);
    const spec = {
      outdir: './reports/servers',
      servers: [
        { agent: 'Good', url },
        { agent: 'Also good', url, options: { version: 18 } },
      ],
      cases: ['2.*', '9.9.*'],
      'exclude-cases': ['2.1*'],
      'exclude-agent-cases': { 'Also*': ['2.9'] },
    };
    writeFileSync(join(cwd, 'fuzzingclient.json'), JSON.stringify(spec));
    const finished = await run(['conform', '--spec', 'fuzzingclient.json', '--json', '--no-save'], { cwd });
    assert.equal(finished.code, 0, finished.stderr);
    const { agents, warnings } = resultOf(finished);
    assert.deepEqual(
      agents.map(({ name, verdicts }) => [name, verdicts.map(({ caseId }) => caseId).join(' ')]),
      [
        ['Good', '2.2 2.3 2.4 2.5 2.6 2.7 2.8 2.9'],
        ['Also good', '2.2 2.3 2.4 2.5 2.6 2.7 2.8'],
      ],
    );
    assert.match(warnings[0]?.message ?? '', /"9\.9\.\*" matches no case/);
    const index = JSON.parse(readFileSync(join(cwd, 'reports/servers/index.json'), 'utf8'));
    assert.deepEqual(Object.keys(index), ['Good', 'Also good']);
    for (const [agent, cases] of Object.entries(
      index as Record<string, Record<string, { reportfile: string }>>,
    )) {
      for (const { reportfile } of Object.values(cases)) {
        const written = JSON.parse(readFileSync(join(cwd, 'reports/servers', reportfile), 'utf8'));
        assert.equal(written.agent, agent);
      }
    }
    const narrowed = await run(['conform', url, '2.1', '--spec', 'fuzzingclient.json', '--dry-run'], { cwd });
    assert.equal(narrowed.code, 2, 'what is asked for is also excluded');
    const dry = await run(['conform', '--spec', 'fuzzingclient.json', '--dry-run'], { cwd });
    assert.match(dry.stdout, /^Would run 8 cases against Good \(ws:.*\), Also good/);
  });

  test('conform: a run that was stopped changes no expectations', { timeout }, async (t) => {
    const url = await startTalkServer(t, () => {});
    const cwd = emptyFolder(t);
    const running = start(['conform', url, '2', '9.1', '-j', '1', '--expect', 'known.yml', '--update'], {
      cwd,
    });
    await until(() => /cases {2}/.test(running.stderr()), 'the first verdict');
    running.child.kill('SIGINT');
    const finished = await running.finished;
    assert.equal(finished.code, 130, finished.stderr);
    assert.match(finished.stderr, /known\.yml was not updated, as not every case ran/);
    assert.ok(!existsSync(join(cwd, 'known.yml')));
  });

  test('conform: before and after', { timeout: 120_000 }, async (t) => {
    const cwd = emptyFolder(t);
    const good = await startEcho(t);
    const broken = await startBroken(t);
    await run(['conform', good, '1.1.1', '1.1.2', '2.1', '-q', '--no-save', '-o', 'good.json'], { cwd });
    await run(['conform', broken, '1.1.2', '2.1', '2.2', '-q', '--no-save', '-o', 'broken.json'], { cwd });
    const worse = await run(['compare', 'good.json', 'broken.json', '-o', 'c.md'], { cwd });
    assert.equal(worse.code, 1);
    assert.match(worse.stderr, /^exit 1: 1\.1\.2: OK before, FAILED.* now$/m);
    assert.match(worse.stdout, /✗ 1\.1\.2: OK → FAILED.*worse/);
    assert.match(worse.stdout, /– new: 2\.2\n.*– gone: 1\.1\.1\n/s);
    assert.match(
      readFileSync(join(cwd, 'c.md'), 'utf8'),
      /\| `1\.1\.2` \| .* \| OK \| FAILED.* \| 🔴 worse \|/,
    );
    const better = await run(['compare', 'broken.json', 'good.json'], { cwd });
    assert.equal(better.code, 0, better.stderr);
    assert.match(better.stdout, /better/);
  });

  test('conform: known verdicts of several servers stand under their names', {
    timeout: 120_000,
  }, async (t) => {
    const cwd = emptyFolder(t);
    const agents = ['--agent', `good=${await startEcho(t)}`, '--agent', `bad=${await startBroken(t)}`];
    const conform = (...more: string[]): Promise<Finished> =>
      run(['conform', ...agents, '1.1.2', '2.1', '--expect', 'known.json', '-q', '--no-save', ...more], {
        cwd,
      });
    const first = await conform('--update');
    assert.equal(first.code, 0, first.stdout + first.stderr);
    const written = JSON.parse(readFileSync(join(cwd, 'known.json'), 'utf8'));
    assert.deepEqual(Object.keys(written), ['good', 'bad']);
    assert.deepEqual(written.good, { '1.1.2': 'OK', '2.1': 'OK' });
    assert.equal(written.bad['1.1.2'].behavior, 'FAILED');
    assert.equal((await conform()).code, 0);
    writeFileSync(join(cwd, 'known.json'), JSON.stringify({ ...written, bad: { '1.1.2': 'OK' } }));
    assert.match((await conform()).stderr, /^exit 1: bad: 1\.1\.2: FAILED.*, worse than expected$/m);
  });
});
