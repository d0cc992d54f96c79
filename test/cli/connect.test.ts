// wsbench connect: scripts and their exit codes, what goes where, and the prompt.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type WebSocket, WebSocketServer } from 'ws';
import { connectCommand } from '../../cli/commands/connect.ts';
import { parseExpectation } from '../../cli/expectation.ts';
import type { Io } from '../../cli/io.ts';
import { jsonView } from '../../cli/json-view.ts';
import { createServer as createReference } from '../../lib/index.ts';
import { receivedText } from '../../lib/target/matcher.ts';
import { emptyFolder, type Finished, run, until } from './spawn.ts';

const bin = fileURLToPath(new URL('../../../cli/wsbench.js', import.meta.url));

/** A server that does as its clients say: `close 4401 why`, `silence`, `binary`, `drop`, `escape`; anything else comes back. */
async function startServer(t: TestContext, greet?: (ws: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: (offered) => [...offered][0] ?? false,
  });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', (ws) => {
    greet?.(ws);
    ws.on('message', (data, isBinary) => {
      const text = String(data);
      const [word, code, ...reason] = text.split(' ');
      if (isBinary) ws.send(data, { binary: true });
      else if (word === 'close') ws.close(Number(code), reason.join(' '));
      else if (word === 'binary') ws.send(Buffer.from([0, 0x61, 0xff]));
      else if (word === 'drop') ws.terminate();
      else if (word === 'escape') ws.send('\x1b[31mred\u202e');
      else if (word !== 'silence') ws.send(text);
    });
  });
  t.after(() => {
    for (const ws of server.clients) ws.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Runs `wsbench` with something on standard input; undefined leaves it open and says nothing. */
function piped(
  args: string[],
  input: string | undefined,
): { child: ChildProcess; finished: Promise<Finished> } {
  const child = spawn(process.execPath, [bin, ...args], {
    env: { PATH: process.env.PATH ?? '', LANG: 'C.UTF-8' },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  if (input !== undefined) child.stdin.end(input);
  const finished = new Promise<Finished>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, finished };
}

// biome-ignore format: a table
const scripts: [name: string, args: string[], code: number, stdout: RegExp, stderr: RegExp][] = [
  ['sends and expects in order', ['--send', 'one', '--send', '{"n":2}', '--expect', 'on', '--expect', '/n=2'], 0, /^one\n\{"n":2\}\n$/, /→ one\n→ \{"n":2\}\nok: came as expected: on\nok: came as expected: \/n=2\nclosed by us: 1000 \(normal closure\)\n$/],
  ['passes over what is not expected', ['--send', 'a', '--send', 'b', '--expect', '=b'], 0, /^a\nb\n$/, /ok/],
  ['an expectation that is not met', ['--send', 'a', '--send', 'bb', '--expect', '~^c', '-t', '500ms'], 1, /^a\nbb\n$/, /exit 1: expected ~\^c, not within 0\.5 s; instead came 2 messages, the last: bb\n$/],
  ['order counts', ['--send', 'a', '--send', 'b', '--expect', '=b', '--expect', '=a', '-t', '500ms'], 1, /./, /exit 1: expected =a, not within 0\.5 s; nothing else came/],
  ['silence', ['--send', 'silence', '--expect', 'x', '-t', '300ms'], 1, /^$/, /not within 0\.3 s; nothing else came/],
  ['silence is fine when nothing is expected', ['--send', 'silence', '-t', '300ms'], 0, /^$/, /nothing came within 0\.3 s/],
  ['a close before what is expected', ['--send', 'close 4000 bye', '--expect', 'x'], 1, /^$/, /exit 1: expected x; nothing else came, then closed by the target: 4000 \(the application's own code\), reason "bye"/],
  ['an expected close', ['--send', 'close 4401 expired', '--expect-close', '4401'], 0, /^$/, /closed by the target: 4401 \(unauthorized\), reason "expired"\n$/],
  ['any close', ['--send', 'close 1001', '--expect-close'], 0, /^$/, /1001 \(going away\)/],
  ['another close', ['--send', 'close 1011', '--expect-close', '1000'], 1, /^$/, /exit 1: expected the target to close with 1000; closed by the target: 1011 \(internal error\)/],
  ['no close', ['--send', 'x', '--expect-close', '-t', '400ms'], 1, /^x\n$/, /exit 1: expected the target to close, not within 0\.4 s; instead came: x/],
  ['a connection that breaks', ['--send', 'drop'], 1, /^$/, /exit 1: the connection broke: 1006/],
  ['a connection that was meant to break', ['--send', 'drop', '--expect-close', '1006'], 0, /^$/, /the connection broke: 1006/],
  ['a close by the target', ['--send', 'close 1000'], 0, /^$/, /closed by the target: 1000/],
  ['binary messages are dumped', ['--send', 'binary', '--expect', 'a'], 0, /^binary, 3 bytes: 00 61 ff {2}\|\.a\.\|\n$/, /ok/],
  ['a terminal is not driven by what comes', ['--send', 'escape', '--expect', 'red'], 0, /^�\[31mred�\n$/, /ok/],
  ['the subprotocol is said', ['--subprotocol', 'chat.v1', '--send', 'x', '--expect', 'x'], 0, /^x\n$/, /^connected in [\d.]+ ms, subprotocol chat\.v1\n/],
  ['quiet', ['-q', '--send', 'x', '--expect', 'x'], 0, /^x\n$/, /^$/],
  ['usage: an empty expectation', ['--expect', ''], 2, /^$/, /--expect: there is nothing/],
  ['usage: a broken expression', ['--expect', '~('], 2, /^$/, /not a regular expression/],
  ['usage: a code that is none', ['--expect-close', 'soon'], 2, /^$/, /--expect-close: what follows is no close code/],
  ['usage: a token for a message that nobody described', ['--token', 'secret-token', '--token-in', 'message', '--send', 'x'], 2, /^$/, /--token-in message: the target does not say which message; write --token-in 'message:\{"token":"\{\{ token \}\}"\}'/],
];

test('connect: scripts', { timeout: 120_000 }, async (t) => {
  const url = await startServer(t);
  const cwd = emptyFolder(t);
  for (const [name, args, code, stdout, stderr] of scripts) {
    await t.test(name, { timeout: 30_000 }, async () => {
      const result = await run(['connect', url, ...args], { cwd });
      assert.equal(result.code, code, result.stderr);
      assert.match(result.stdout, stdout);
      assert.match(result.stderr, stderr);
    });
  }
});

test('connect: where nothing can be reached, and where there is no URL', { timeout: 60_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const silent: Server = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const none = await run(['connect', 'ws://127.0.0.1:1/'], { cwd });
  assert.equal(none.code, 3);
  assert.match(none.stderr, /^exit 3: refused: .*\(nothing listens there/);
  const mute = await run(['connect', `ws://127.0.0.1:${port}/`, '--connect-timeout', '300ms'], { cwd });
  assert.equal(mute.code, 3);
  assert.match(mute.stderr, /^exit 3: timeout: no HTTP answer to the upgrade within 300 ms \(TCP connects/);
  const nowhere = await run(['connect'], { cwd });
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.stderr, /wsbench connect ws:\/\/localhost:8080\/ws/);
  const url = await startServer(t);
  const given = await run(['connect', '--send', 'x', '--expect', 'x'], { cwd, env: { WSBENCH_URL: url } });
  assert.equal(given.code, 0, given.stderr);
});

test('connect: lines of standard input are sent, and it ends when no more comes', {
  timeout: 60_000,
}, async (t) => {
  const url = await startServer(t);
  const lines = await piped(['connect', url], 'one\r\n\ntwo\n/ping\n').finished;
  assert.deepEqual([lines.code, lines.stdout], [0, 'one\ntwo\n/ping\n'], lines.stderr);
  const met = await piped(['connect', url, '--expect', 'two'], 'one\ntwo\n').finished;
  assert.deepEqual([met.code, met.stdout], [0, 'one\ntwo\n'], met.stderr);
  const open = await piped(['connect', url, '--expect', 'x', '-t', '400ms'], undefined).finished;
  assert.equal(open.code, 1, 'a pipe that says nothing is not waited for when something is expected');
  const gone = await piped(['connect', url], 'close 1000\n').finished;
  assert.equal(gone.code, 0, gone.stderr);
});

test('connect: a server that never stops talking is left in time', { timeout: 60_000 }, async (t) => {
  const url = await startServer(t, (ws) => {
    const timer = setInterval(() => ws.send('tick'), 50);
    ws.on('close', () => clearInterval(timer));
  });
  const { code, stdout } = await run(['connect', url, '--send', 'silence', '-t', '1s'], {
    cwd: emptyFolder(t),
  });
  assert.equal(code, 0);
  assert.match(stdout, /^(tick\n){3,}$/);
});

test('connect: a signal closes and exits as interrupted', { timeout: 60_000 }, async (t) => {
  const url = await startServer(t);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    let connected = false;
    const { child, finished } = piped(['connect', url, '--expect', 'never', '-t', '60s'], undefined);
    child.stderr?.on('data', (chunk: Buffer) => {
      connected ||= chunk.toString().includes('connected');
    });
    await until(() => connected, 'it connects');
    child.kill(signal);
    const result = await finished;
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, new RegExp(`exit ${code}: interrupted`));
  }
});

test('connect: --json tells every event', { timeout: 60_000 }, async (t) => {
  const url = await startServer(t);
  const args = [
    '--json',
    '--send',
    '{"a":1}',
    '--send',
    'binary',
    '--expect',
    '/a=1',
    '--send',
    'close 4000 done',
    '--expect-close',
  ];
  const { code, stdout, stderr } = await run(['connect', url, ...args], { cwd: emptyFolder(t) });
  assert.equal(code, 0, stderr);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(events.every(({ at }) => typeof at === 'string'));
  const bare = events.map(({ at: _at, connectMs: _connectMs, ...rest }) => rest);
  assert.deepEqual(bare, [
    { event: 'open', subprotocol: '' },
    { event: 'ready' },
    { event: 'sent', why: 'asked', text: '{"a":1}', bytes: 7 },
    { event: 'sent', why: 'asked', text: 'binary', bytes: 6 },
    { event: 'sent', why: 'asked', text: 'close 4000 done', bytes: 15 },
    { event: 'message', text: '{"a":1}', bytes: 7 },
    { event: 'expectation', expect: '/a=1', met: true },
    { event: 'message', hex: '0061ff', bytes: 3 },
    {
      event: 'closed',
      code: 4000,
      reason: 'done',
      by: 'peer',
      clean: true,
      meaning: "the application's own code",
    },
    { event: 'end', exit: 0 },
  ]);
});

test('connect: auth and join of the target are done, or said to be refused', {
  timeout: 90_000,
}, async (t) => {
  const server = await createReference({ environment: 'test' });
  t.after(() => server.close());
  await server.listen();
  const cwd = emptyFolder(t);
  const env = { TOKEN: await server.mint({}) };
  const url = `${new URL(server.url).origin}/ws`;
  const auth = ['--preset', 'wsbench', '--token', 'env:TOKEN'];
  const ping = ['--send', '{"type":"PING","id":"1"}', '--expect', '/type=PONG'];
  for (const place of ['header', 'message']) {
    const joined = await run(['connect', url, ...auth, '--token-in', place, ...ping], { cwd, env });
    assert.equal(joined.code, 0, joined.stderr);
    assert.equal(joined.stderr.includes('(opening)'), place === 'message');
  }
  const refused = await run(['connect', url, ...auth, '--token-in', 'message', ...ping], {
    cwd,
    env: { TOKEN: 'no.good.token' },
  });
  assert.equal(refused.code, 3);
  assert.match(refused.stderr, /exit 3: the target refused .*ERROR/);
  const upgrade = await run(['connect', `${url}/dashboard`, ...ping], { cwd });
  assert.equal(upgrade.code, 3);
  assert.match(
    upgrade.stderr,
    /exit 3: http: HTTP 401.*\(the target wants a credential, or refused this one: --token, --token-in\)\n$/,
  );
  const unjoined = await run(
    ['connect', await startServer(t), '--preset', 'socket.io', '-t', '300ms', '--send', 'x'],
    { cwd },
  );
  assert.equal(unjoined.code, 3);
  assert.match(
    unjoined.stderr,
    /exit 3: no answer within 300 ms .*waiting for a message that starts with "0\{"/,
  );
});

test('connect: heartbeats of the target are answered, and its protocol is named', {
  timeout: 60_000,
}, async (t) => {
  const answers: string[] = [];
  const url = await startServer(t, (ws) => {
    ws.send('0{"sid":"1"}');
    ws.on('message', (data) => {
      answers.push(String(data));
      if (String(data) === '40/,') {
        ws.send('40{"sid":"2"}');
        ws.send('2');
      }
      if (String(data) === '3') ws.send('42["done"]');
    });
  });
  const cwd = emptyFolder(t);
  const joined = await run(['connect', url, '--preset', 'socket.io', '--expect', '42["done"]'], { cwd });
  assert.equal(joined.code, 0, joined.stderr);
  assert.deepEqual(answers, ['40/,', '3']);
  assert.match(joined.stderr, /→ 3 {2}\(heartbeat\)/);
  const bare = await run(['connect', url, '--expect', 'sid'], { cwd });
  assert.match(bare.stderr, /it speaks socket\.io: --preset socket\.io/);
});

/** The command with streams of our own, as on a terminal. */
function terminal(url: string): {
  type: (text: string) => void;
  out: () => string;
  err: () => string;
  exit: Promise<number>;
} {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  let [out, err] = ['', ''];
  stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  const asTerminal = { isTTY: true, columns: 80 };
  const exit = new Promise<number>((resolve) => {
    const io: Io = {
      stdin: Object.assign(stdin, asTerminal),
      stdout: Object.assign(stdout, asTerminal),
      stderr: Object.assign(stderr, asTerminal),
      env: { LANG: 'C.UTF-8', TERM: 'xterm' },
      cwd: '.',
      signal: new AbortController().signal,
      exit: resolve,
      finishMs: 5000,
      atCrash: () => {},
    };
    void connectCommand(io).parseAsync(['node', 'connect', url]);
  });
  return { type: (text) => void stdin.write(text), out: () => out, err: () => err, exit };
}

test('connect: by hand, with commands', { timeout: 60_000 }, async (t) => {
  const { type, out, err, exit } = terminal(await startServer(t));
  await until(() => err().includes('/help shows the commands'), 'the prompt');
  type(
    '{"deep":{"list":[1,2.50,12345678901234567890],"long":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}\r',
  );
  await until(() => out().includes('12345678901234567890'), 'the answer, its numbers as they came');
  assert.match(out(), /\d\d:\d\d:\d\d\.\d{3}/);
  assert.ok(out().includes('\x1b[36m"deep"\x1b[39m: {\n'), 'laid out and coloured');
  type('//slash\r');
  await until(() => out().includes(' /slash'), 'a text that begins with a slash');
  type('/ping 2\r');
  await until(() => /2 pongs: min [\d.]+, mean [\d.]+, max [\d.]+ ms/.test(err()), 'round trips');
  type('/binary 00 61\r');
  await until(() => out().includes('binary, 2 bytes: 00 61'), 'a binary message');
  for (const [line, said] of [
    ['/nope', 'there is no /nope'],
    ['/binary 0', 'bytes in hex'],
    ['/ping x', 'whole number'],
    ['/close 1006', 'no code to close with'],
    ['/help', 'round trip of a ping frame'],
  ] as const) {
    type(`${line}\r`);
    await until(() => err().includes(said), line);
  }
  type('/close 3001 enough\r');
  assert.equal(await exit, 0);
  assert.match(err(), /closed by us: 3001/);
});

test('connect: by hand, Ctrl-D closes and Ctrl-C gives up', { timeout: 60_000 }, async (t) => {
  const url = await startServer(t);
  for (const [key, code] of [
    ['\x04', 0],
    ['\x03', 130],
  ] as const) {
    const { type, err, exit } = terminal(url);
    await until(() => err().includes('/help'), 'the prompt');
    type(key);
    assert.equal(await exit, code);
  }
});

// biome-ignore format: a table
const expectations: [what: string, message: string, met: boolean][] = [
  ['hell', 'hello', true],
  ['hell', 'Hello', false],
  ['=hello', 'hello', true],
  ['=hell', 'hello', false],
  ['~^h.+o$', 'hello', true],
  ['~^e', 'hello', false],
  ['/type', '{"type":null}', true],
  ['/type', '{"kind":1}', false],
  ['/type', 'type', false],
  ['/type=ACK', '{"type":"ACK"}', true],
  ['/type=ACK', '{"type":"NACK"}', false],
  ['/a/0/b=3', '{"a":[{"b":3}]}', true],
  ['/a/0/b=3', '{"a":[{"b":"3"}]}', true],
  ['/a={"b":[1, 2]}', '{"a":{"b":[1,2]}}', true],
  ['/a=', '{"a":""}', true],
  ['/a=x=y', '{"a":"x=y"}', true],
  ['/constructor', '{}', false],
];
for (const [what, message, met] of expectations) {
  test(`expect ${what} of ${message}: ${met}`, () => {
    assert.equal(parseExpectation(what).isMetBy(receivedText(message)), met);
  });
}

test('JSON is laid out within the width, and only JSON is', () => {
  const style = { width: 26, color: false };
  assert.equal(jsonView('{"a":1,"b":[]}', style), '{ "a": 1, "b": [] }');
  assert.equal(
    jsonView('{"a":[1,{"b":"x,y:\\"z\\""}],"c":1e400}', style),
    '{\n  "a": [\n    1,\n    { "b": "x,y:\\"z\\"" }\n  ],\n  "c": 1e400\n}',
  );
  assert.equal(jsonView('{}', style), '{}');
  for (const text of ['hello', '"a"', '1', '{"a":', '['.repeat(500) + ']'.repeat(500)])
    assert.equal(jsonView(text, style), undefined);
});
