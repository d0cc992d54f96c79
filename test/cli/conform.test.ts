// wsbench conform, as a user runs it: against an echo over ws, the reference server, and servers that are broken.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { createServer, mintToken, parseResult } from '../../lib/index.ts';
import type { ConformResult } from '../../lib/result/result.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startBroken, startEcho } from '../fixtures/echoes.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';
import { parseXml } from '../fixtures/xml.ts';
import { emptyFolder, type Finished, run, start, until } from './spawn.ts';

const timeout = 60_000;

function resultOf(finished: Finished): ConformResult {
  const result = parseResult(finished.stdout, 'stdout');
  assert.equal(result.kind, 'conform');
  return result as ConformResult;
}

const verdictsOf = (result: ConformResult): string[] =>
  result.agents.flatMap(({ verdicts }) =>
    verdicts.map(({ caseId, behavior, behaviorClose }) => `${caseId} ${behavior}/${behaviorClose}`),
  );

// Each waits for its processes most of the time.
describe('conform', { concurrency: 3 }, () => {
  test('conform: a good server passes, and everything asked for is written', { timeout }, async (t) => {
    const url = await startEcho(t);
    const cwd = emptyFolder(t);
    const files = ['-o', 'r.md', '-o', 'r.json', '-o', 'r.xml', '-o', 'r.txt', '--index', 'index.json'];
    const finished = await run(['conform', url, '2.*', '1.1.1,7.1.1', ...files], { cwd });
    assert.equal(finished.code, 0, finished.stdout + finished.stderr);
    assert.match(finished.stdout, /Conformance results · ws:\/\/127/);
    assert.match(finished.stdout, /PASSED {2}13 of 13 cases passed/);
    assert.match(finished.stderr, /^\d+\/13 cases {2}/m);
    assert.match(finished.stderr, /^13\/13 cases {2}/m);
    assert.match(readFileSync(join(cwd, 'r.md'), 'utf8'), /## Conformance results \(13 of 13\)/);
    const cases = parseXml(readFileSync(join(cwd, 'r.xml'), 'utf8')).filter(
      ({ name }) => name === 'testcase',
    );
    assert.equal(cases.length, 13);
    const index = JSON.parse(readFileSync(join(cwd, 'index.json'), 'utf8'));
    const [[agent, entries]] = Object.entries(index) as [[string, Record<string, Record<string, unknown>>]];
    assert.equal(`ws://${agent}`, url);
    assert.deepEqual(Object.keys(entries).length, 13);
    const { duration, ...entry } = entries['2.10'] ?? {};
    assert.ok(Number.isInteger(duration));
    assert.deepEqual(entry, {
      behavior: 'OK',
      behaviorClose: 'OK',
      remoteCloseCode: 1000,
      reportfile: `${agent.replace(/[.:]/g, '_')}_case_2_10.json`,
    });
    assert.equal(readdirSync(join(cwd, '.wsbench/runs')).length, 2);
    const report = await run(['report', 'latest', '--format', 'junit'], { cwd });
    assert.equal(report.stdout, readFileSync(join(cwd, 'r.xml'), 'utf8'));
  });

  test('conform: a failure has its evidence and the command that repeats it, and ends with 1', {
    timeout,
  }, async (t) => {
    const url = await startBroken(t);
    const cwd = emptyFolder(t);
    const finished = await run(['conform', url, '1.1.2', '1.2.2', '--no-save'], { cwd });
    assert.equal(finished.code, 1, finished.stderr);
    assert.match(finished.stdout, /FAILED {2}1 of 2 cases passed, 1 failed/);
    for (const part of [
      '✗ 1.1.2',
      'expected:',
      'got:',
      'spec:      RFC 6455 §',
      '→ text frame',
      '← binary frame',
    ])
      assert.ok(finished.stdout.includes(part), part);
    assert.match(finished.stderr, /^exit 1: 1\.1\.2: FAILED/m);
    const [, command = ''] = /reproduce: wsbench (.*)/.exec(finished.stdout) ?? [];
    assert.equal(command, `conform ${url}/ 1.1.2`);
    const again = await run([...command.split(' '), '--no-save'], { cwd });
    assert.equal(again.code, 1);
    assert.match(again.stdout, /0 of 1 cases passed/);
  });

  test('conform: what fails a run is chosen', { timeout: 120_000 }, async (t) => {
    const url = await startEcho(t);
    const unclean = await startTalkServer(t, (socket, request) => {
      // Hangs up where a closing handshake should be.
      socket.on('message', (data, binary) => {
        socket.send(data, { binary }, () => request.socket.destroy());
      });
    });
    const cwd = emptyFolder(t);
    // biome-ignore format: a table
    const rows: [target: string, cases: string[], flags: string[], code: number][] = [
    [url, ['6.4.1'], [], 0],
    [url, ['6.4.1'], ['--fail-on', 'unclean'], 0],
    [url, ['6.4.1'], ['--fail-on', 'non-strict'], 1],
    [unclean, ['1.1.2'], [], 0],
    [unclean, ['1.1.2'], ['--fail-on', 'unclean'], 1],
    [unclean, ['1.1.2'], ['--fail-on', 'non-strict'], 1],
    [url, ['1.1.1'], ['--fail-on', 'non-strict'], 0],
    [url, ['12.1.1'], ['--fail-on', 'non-strict', '--messages', '2'], 0],
  ];
    for (const [target, cases, flags, code] of rows) {
      const finished = await run(['conform', target, ...cases, ...flags, '--no-save', '-q'], { cwd });
      assert.equal(finished.code, code, `${cases} ${flags}: ${finished.stdout}${finished.stderr}`);
    }
  });

  test('conform: the reference server, by program, by name and by its own object', { timeout }, async (t) => {
    const server = await createServer({ environment: 'test', limits: 'off' });
    t.after(() => server.close());
    await server.listen();
    const cwd = emptyFolder(t);
    const agents = ['--agent', `one=${server.url}/ws/echo`, '--agent', `two=${await startBroken(t)}`];
    const finished = await run(['conform', '1.1.2', '2.1', ...agents, '--no-save'], { cwd });
    assert.equal(finished.code, 1, finished.stderr);
    assert.match(finished.stdout, / one +two\n/);
    assert.match(finished.stdout, /1 Framing +1 of 1 +0 of 1/);
    assert.match(finished.stdout, /1\.1\.2 +OK +FAILED/);
    const { conform } = await import('../../lib/index.ts');
    const result = await conform(server, { cases: ['2.1', '5.1'] });
    assert.deepEqual(verdictsOf(result), ['2.1 OK/OK', '5.1 OK/OK']);
    assert.equal(result.agents[0]?.name, `${new URL(server.url).host}/ws/echo`);
  });

  test('conform: nobody there is 3, a refusal is a failed case', { timeout: 120_000 }, async (t) => {
    const cwd = emptyFolder(t);
    const none = await run(['conform', 'ws://127.0.0.1:1/', '1', '-o', 'x.xml', '--json'], { cwd });
    assert.equal(none.code, 3, none.stderr);
    assert.match(none.stderr, /^exit 3: .*ECONNREFUSED/m);
    const { agents, outcome } = resultOf(none);
    assert.equal(outcome, 'failed');
    assert.deepEqual([agents[0]?.verdicts.length, agents[0]?.notRun?.caseIds.length], [0, 16]);
    const [suites, ...inner] = parseXml(readFileSync(join(cwd, 'x.xml'), 'utf8'));
    const skipped = inner.map(({ attributes }) => Number(attributes.skipped ?? 0));
    assert.deepEqual([suites?.attributes.errors, Math.max(...skipped)], ['1', 16]);
    const refusing = await startTalkServer(t, () => {}, { verifyClient: (_, done) => done(false, 401) });
    const refused = await run(['conform', refusing, '1.1.1', '7.1.6', '--json', '--no-save'], { cwd });
    assert.equal(refused.code, 1, refused.stderr);
    assert.deepEqual(verdictsOf(resultOf(refused)), [
      '1.1.1 FAILED/FAILED',
      '7.1.6 INFORMATIONAL/INFORMATIONAL',
    ]);
  });

  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    test(`conform: ${signal} ends it with ${code} and the verdicts so far`, { timeout }, async (t) => {
      // Takes connections and messages, and answers pings only: every echo is waited for.
      const url = await startTalkServer(t, () => {});
      const cwd = emptyFolder(t);
      const running = start(['conform', url, '2', '9.1', '-j', '1', '-o', 'r.json', '--index', 'i.json'], {
        cwd,
      });
      await until(() => /cases {2}/.test(running.stderr()), 'the first verdict');
      running.child.kill(signal);
      const finished = await running.finished;
      assert.equal(finished.code, code, finished.stderr);
      const result = parseResult(readFileSync(join(cwd, 'r.json'), 'utf8'), 'r.json') as ConformResult;
      assert.equal(result.outcome, 'interrupted');
      const [agent] = result.agents;
      assert.ok(agent && agent.verdicts.length > 0 && agent.notRun && agent.notRun.caseIds.length > 0);
      assert.equal(agent.verdicts.length + agent.notRun.caseIds.length, 17);
      const index = Object.values(JSON.parse(readFileSync(join(cwd, 'i.json'), 'utf8')))[0];
      assert.equal(Object.keys(index ?? {}).length, agent.verdicts.length);
      assert.match(finished.stdout, /Not run/);
    });
  }

  test('conform: a token goes where it should, and hostile text stays text', { timeout }, async (t) => {
    const secret = 'x'.repeat(32);
    const cwd = emptyFolder(t);
    const token = await mintToken({ secret });
    const url = await startTalkServer(
      t,
      (socket, request) => {
        // The greeting makes cases fail, so that what went over the wire is reported.
        socket.send(`\u001b[2J</script>|\`${request.headers.authorization} ${request.url}`);
        socket.on('message', (data, binary) => socket.send(data, { binary }));
      },
      {
        verifyClient: ({ req }: { req: IncomingMessage }) => req.headers.authorization !== undefined,
      },
    );
    const none = await run(['conform', url, '1.1.1', '--no-save', '-q'], { cwd });
    assert.equal(none.code, 1);
    const files = ['-o', 'r.md', '-o', 'r.json', '-o', 'r.xml', '-o', 'r.txt'];
    const given = ['--token', token, '-H', 'X-Trace: 1'];
    const finished = await run(['conform', url, '1.1.1', '2.1', '-v', '--no-save', ...given, ...files], {
      cwd,
    });
    assert.equal(finished.code, 1, finished.stderr);
    assert.match(finished.stdout, /← text frame/, 'it was let in');
    assert.match(
      finished.stdout,
      /reproduce: wsbench conform .* --header 'X-Trace:\s+1'\s+--token\s+env:TOKEN\s+1\.1\.1/,
    );
    const outputs = [
      finished.stdout,
      finished.stderr,
      ...readdirSync(cwd).map((file) => readFileSync(join(cwd, file), 'utf8')),
    ];
    const bytes = Buffer.from(token.slice(0, 14)).toString('hex');
    for (const text of outputs) {
      for (const form of [token.slice(0, 14), bytes, bytes.replace(/(..)(?=.)/g, '$1 ')])
        assert.ok(
          !text.includes(form),
          text.slice(Math.max(0, text.indexOf(form) - 200), text.indexOf(form) + 60),
        );
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
      assert.doesNotMatch(text, /\u001b/);
    }
    parseXml(readFileSync(join(cwd, 'r.xml'), 'utf8'));
    const minted = await run(['conform', url, '2.1', '--secret', secret, '--json', '--no-save'], { cwd });
    assert.match(resultOf(minted).agents[0]?.verdicts[0]?.got ?? '', /text message/, 'let in, and greeted');
  });

  test('conform: repeated cases tell which flicker', { timeout }, async (t) => {
    let count = 0;
    const url = await startTalkServer(t, (socket) => {
      const isGood = count++ % 2 === 0;
      socket.on('message', (data, binary) => socket.send(data, { binary: binary || !isGood }));
    });
    const cwd = emptyFolder(t);
    const finished = await run(['conform', url, '1.1.2', '--repeat', '4', '-j', '1', '--no-save'], { cwd });
    assert.equal(finished.code, 1);
    assert.match(finished.stdout, /Flaky +1\.1\.2: 2 × \w+.*, 2 × \w+/);
  });

  test('conform: a server that stops answering ends the run with the verdicts so far', {
    timeout: 120_000,
  }, async (t) => {
    const good = await startEcho(t);
    const { port } = new URL(good);
    let left = 3;
    // Lets the first connections through, and takes the others without a word.
    const { connect } = await import('node:net');
    const proxy = createTcpServer((socket) => {
      socket.on('error', () => {});
      if (left-- <= 0) return;
      const upstream = connect(Number(port), '127.0.0.1');
      upstream.on('error', () => {});
      socket.pipe(upstream).pipe(socket);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    t.after(() => proxy.close());
    const address = proxy.address();
    const at = typeof address === 'object' && address ? address.port : 0;
    const cwd = emptyFolder(t);
    const finished = await run(['conform', `ws://127.0.0.1:${at}/`, '1', '-j', '1', '--json', '--no-save'], {
      cwd,
    });
    assert.equal(finished.code, 1, finished.stderr);
    const { agents, run: made } = resultOf(finished);
    assert.equal(made.complete, false);
    assert.match(agents[0]?.notRun?.reason ?? '', /stopped answering/);
    assert.ok((agents[0]?.verdicts.filter(({ behavior }) => behavior === 'OK').length ?? 0) === 3);
  });

  test('conform: over TLS, with the authority named, and without', { timeout }, async (t) => {
    const { key, cert } = selfSigned();
    const server = createTlsServer({ key, cert });
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('message', (data, binary) => socket.send(data, { binary }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
    });
    const address = server.address();
    const url = `wss://localhost:${typeof address === 'object' ? address?.port : ''}/`;
    const cwd = emptyFolder(t);
    writeFileSync(join(cwd, 'ca.pem'), cert);
    const conform = (...more: string[]): Promise<Finished> =>
      run(['conform', url, '1.1.1', '2.11', '-q', '--no-save', ...more], { cwd });
    assert.equal((await conform('--cacert', 'ca.pem')).code, 0);
    assert.equal((await conform('-k')).code, 0);
    const distrusted = await conform();
    assert.equal(distrusted.code, 3, distrusted.stderr);
    assert.match(distrusted.stderr, /^exit 3: .*DEPTH_ZERO_SELF_SIGNED_CERT/m);
  });
});
