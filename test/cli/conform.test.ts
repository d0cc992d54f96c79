// wsbench conform, as a user runs it: against an echo over ws, the reference server, and servers that are broken.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { createServer, mintToken, parseResult } from '../../lib/index.ts';
import type { ConformResult } from '../../lib/result/result.ts';
import { selfSigned } from '../fixtures/certificate.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';
import { parseXml } from '../fixtures/xml.ts';
import { emptyFolder, type Finished, run, start, until } from './spawn.ts';

const timeout = 60_000;

/** An echo as people write it: correct, as ws does the protocol. */
const startEcho = (t: TestContext): Promise<string> =>
  startTalkServer(t, (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  });

/** Echoes text as binary: every echo of a text is wrong, and nothing else. */
const startBroken = (t: TestContext): Promise<string> =>
  startTalkServer(t, (socket) => {
    socket.on('message', (data) => socket.send(data, { binary: true }));
  });

function resultOf(finished: Finished): ConformResult {
  const result = parseResult(finished.stdout, 'stdout');
  assert.equal(result.kind, 'conform');
  return result as ConformResult;
}

const verdictsOf = (result: ConformResult): string[] =>
  result.agents.flatMap(({ verdicts }) =>
    verdicts.map(({ caseId, behavior, behaviorClose }) => `${caseId} ${behavior}/${behaviorClose}`),
  );

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
  const cases = parseXml(readFileSync(join(cwd, 'r.xml'), 'utf8')).filter(({ name }) => name === 'testcase');
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

test('conform: nobody there is 3, a refusal is a failed case', { timeout: 120_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const none = await run(['conform', 'ws://127.0.0.1:1/', '1', '-o', 'x.xml', '--json'], { cwd });
  assert.equal(none.code, 3, none.stderr);
  assert.match(none.stderr, /^exit 3: .*ECONNREFUSED/m);
  const { agents, outcome } = resultOf(none);
  assert.equal(outcome, 'failed');
  assert.deepEqual([agents[0]?.verdicts.length, agents[0]?.notRun?.caseIds.length], [0, 16]);
  const suite = parseXml(readFileSync(join(cwd, 'x.xml'), 'utf8'))[0];
  assert.deepEqual([suite?.attributes.errors, suite?.attributes.skipped], ['1', '16']);
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
