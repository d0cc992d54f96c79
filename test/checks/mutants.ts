// Servers with one fault each: every check must fail on at least one of them, and only on those with its own kind of fault.

/** One replacement in one compiled file of the reference server. */
export interface Mutant {
  /** The check that must fail. Checks that depend on it must be skipped, all others must pass. */
  check: string;
  /** The fault, in words. */
  name: string;
  /** Below the folder of compiled files. */
  file: string;
  /** Text that occurs exactly once in the file. */
  find: string;
  replace: string;
}

const plugin = (name: string): string => `reference-server/plugins/${name}.js`;
const handler = (name: string): string => `reference-server/handlers/${name}.js`;
const limit = (name: string): string => `reference-server/limits/${name}.js`;

/** Runs on every accepted socket, before anything else is done with it. */
const onSocket = (code: string, before = ''): Pick<Mutant, 'file' | 'find' | 'replace'> => ({
  file: plugin('websocket'),
  find: 'const { identity } = request;',
  replace: `const { identity } = request; ${before} ${code}`,
});

/** Tells answers to the request that the preset describes from all other messages. */
const echoHasPad = `const isPadded = (text) => String(text).includes('"type":"ECHO"') && String(text).includes('"pad":');`;

/** Closes with another code than meant. */
const closeWith = (meant: number, sent: number): Pick<Mutant, 'file' | 'find' | 'replace'> =>
  onSocket(
    `const close = socket.close.bind(socket); socket.close = (code, reason) => close(code === ${meant} ? ${sent} : code, reason);`,
  );

/** Faults by the check that must notice them. */
export const mutants: readonly Mutant[] = [
  {
    check: 'connect',
    name: 'every handshake is refused',
    file: plugin('guard'),
    find: 'if (app.connections.draining) {',
    replace: 'if (true) {',
  },
  {
    check: 'connect',
    name: 'WELCOME announces no limits',
    file: plugin('websocket'),
    find: 'limits: {',
    replace: 'bounds: {',
  },
  { check: 'ping-frame', name: 'ping frames are not answered', ...onSocket('socket.pong = () => {};') },
  {
    check: 'ping-frame',
    name: 'pong frames carry another payload',
    ...onSocket("const pong = socket.pong.bind(socket); socket.pong = () => pong('x', false);"),
  },
  {
    check: 'echo',
    name: 'long text is cut',
    file: handler('echo'),
    find: "({ type: 'ECHO', payload })",
    replace: "({ type: 'ECHO', payload: typeof payload === 'string' ? payload.slice(0, 1000) : payload })",
  },
  {
    check: 'request',
    name: 'a padded ECHO is answered twice',
    ...onSocket(
      'const send = socket.send; socket.send = (...args) => { send.apply(socket, args); if (isPadded(args[0])) send.apply(socket, args); };',
      echoHasPad,
    ),
  },
  {
    check: 'request',
    name: 'of padded ECHOs at once every second is left unanswered',
    ...onSocket(
      'const send = socket.send; let lastMs = 0; socket.send = (...args) => { const nowMs = performance.now(); if (isPadded(args[0]) && nowMs - lastMs < 10) { lastMs = 0; return; } if (isPadded(args[0])) lastMs = nowMs; send.apply(socket, args); };',
      echoHasPad,
    ),
  },
  {
    check: 'heartbeat',
    name: 'PONG lacks serverTime',
    file: handler('heartbeat'),
    find: '{ serverTime: server.options.clock.epochMs() }',
    replace: '{}',
  },
  {
    check: 'heartbeat',
    name: 'PONG carries no id',
    file: 'reference-server/dispatch.js',
    find: 'this.#connection.send(reply.type, reply.payload, envelope.id);',
    replace:
      "this.#connection.send(reply.type, reply.payload, reply.type === 'PONG' ? undefined : envelope.id);",
  },
  {
    check: 'simultaneous',
    name: 'only the first five connections are served',
    file: plugin('websocket'),
    find: "socket.on('message', (data, isBinary) => dispatcher.receive(data, isBinary));",
    replace:
      "const isServed = app.connections.open.size <= 5; socket.on('message', (data, isBinary) => isServed && dispatcher.receive(data, isBinary));",
  },
  {
    check: 'simultaneous',
    name: 'answers go to the newest of many connections',
    ...onSocket(
      'globalThis.__newest = socket; const send = socket.send; socket.send = (...args) => send.apply(app.connections.open.size > 5 && !args[0].includes("WELCOME") ? globalThis.__newest : socket, args);',
    ),
  },
  {
    check: 'invalid-messages',
    name: 'text that is not JSON gets another code',
    file: 'reference-server/envelope.js',
    find: "code: 'INVALID_JSON'",
    replace: "code: 'INTERNAL'",
  },
  {
    check: 'invalid-messages',
    name: 'an unknown type gets no hint',
    file: 'reference-server/type-hint.js',
    find: "HEARTBEATPING: 'PING',",
    replace: '',
  },
  {
    check: 'invalid-messages',
    name: 'payloads are not checked',
    file: 'reference-server/envelope.js',
    find: 'if (!parsed.success) {',
    replace: 'if (false) {',
  },
  {
    check: 'invalid-messages',
    name: 'an invalid message closes the connection',
    file: 'reference-server/dispatch.js',
    find: 'this.#connection.error({ for: type, code, message }, envelope.id);',
    replace:
      "this.#connection.error({ for: type, code, message }, envelope.id); this.#connection.close({ code: 4400, reason: '' });",
  },
  { check: 'clean-close', name: 'close frames are answered with another code', ...closeWith(3000, 1001) },
  {
    check: 'clean-close',
    name: 'a close frame makes the server drop TCP',
    ...onSocket(
      'const close = socket.close.bind(socket); socket.close = (code, reason) => code === 1000 ? socket.terminate() : close(code, reason);',
    ),
  },
  { check: 'bad-frame', name: 'bad frames are closed with 1008', ...closeWith(1002, 1008) },
  {
    check: 'bad-frame',
    name: 'RSV bits are ignored',
    ...onSocket(
      'const write = socket._receiver._write; socket._receiver._write = (chunk, ...rest) => { if (chunk[0] === 0xa1 && chunk.length === 13) chunk[0] = 0x81; return write.call(socket._receiver, chunk, ...rest); };',
    ),
  },
  {
    check: 'message-too-large',
    name: 'twice the announced size is taken',
    file: 'reference-server/websocket-servers.js',
    find: 'maxPayload: maxMessageBytes',
    replace: 'maxPayload: 2 * maxMessageBytes',
  },
  {
    check: 'message-too-large',
    name: 'the announced size is refused',
    file: 'reference-server/websocket-servers.js',
    find: 'maxPayload: maxMessageBytes',
    replace: 'maxPayload: maxMessageBytes - 1',
  },
  { check: 'message-too-large', name: 'closed with 1008', ...closeWith(1009, 1008) },
  {
    check: 'dashboard-connect',
    name: 'ACK lacks the session',
    file: handler('dashboard'),
    find: 'sessionId: connection.dashboard.sessionId,',
    replace: '',
  },
  {
    check: 'agent-command',
    name: 'COMMAND is acknowledged and not delivered',
    file: 'reference-server/bus/memory.js',
    find: 'agent?.link.deliver(command) ?? false',
    replace: 'agent !== undefined',
  },
  {
    check: 'agent-command',
    name: 'COMMAND to nobody is acknowledged',
    file: handler('dashboard'),
    find: 'if (!dispatched.delivered)',
    replace: 'if (false)',
  },
  {
    check: 'agent-command',
    name: 'a repeated COMMAND is delivered twice',
    file: handler('dashboard'),
    find: "remember: 'subject',",
    replace: '',
  },
  {
    check: 'agent-command',
    name: 'the result never reaches the dashboard',
    file: 'reference-server/bus/memory.js',
    find: 'onOutcome(outcome);',
    replace: ';',
  },
  {
    check: 'publish-subscribe',
    name: 'a repeated PUBLISH has a second effect',
    file: handler('messaging'),
    find: "remember: 'subject',",
    replace: '',
  },
  {
    check: 'publish-subscribe',
    name: 'nothing is recovered',
    file: 'reference-server/bus/channel-log.js',
    find: 'return this.#messages.slice(since.offset - oldest)',
    replace: 'return undefined && this.#messages.slice(since.offset - oldest)',
  },
  {
    check: 'publish-subscribe',
    name: 'recovery says so and sends nothing',
    file: handler('messaging'),
    find: 'for (const message of missed)',
    replace: 'for (const message of [])',
  },
  {
    check: 'publish-subscribe',
    name: 'offsets have holes',
    file: 'reference-server/bus/channel-log.js',
    find: 'this.#offset += 1;',
    replace: 'this.#offset += 2;',
  },
  {
    check: 'publish-subscribe',
    name: 'MESSAGE names another epoch',
    file: handler('messaging'),
    find: 'payload: { channel, epoch, offset, data }',
    replace: "payload: { channel, epoch: 'another', offset, data }",
  },
  {
    check: 'publish-subscribe',
    name: 'a lost position gets no GAP',
    file: handler('messaging'),
    find: 'if (since && !recovered)',
    replace: 'if (false)',
  },
  {
    check: 'typed-answers',
    name: 'UNSUBSCRIBE gets a generic ACK',
    file: handler('messaging'),
    find: "return ack({ for: 'UNSUBSCRIBE', channel });",
    replace: "return { type: 'ACK', payload: {} };",
  },
  {
    check: 'typed-answers',
    name: 'a second listener answers too',
    file: plugin('websocket'),
    find: 'welcome(connection);',
    replace:
      "welcome(connection); socket.on('message', (data) => { try { const { type, id } = JSON.parse(data.toString()); if (type === 'AGENT_STATUS') connection.send('ACK', {}, id); } catch {} });",
  },
  {
    check: 'typed-answers',
    name: 'a second listener acknowledges every message',
    file: plugin('websocket'),
    find: 'welcome(connection);',
    replace: "welcome(connection); socket.on('message', () => connection.send('ACK', {}));",
  },
  {
    check: 'typed-answers',
    name: 'PONG is answered',
    file: handler('heartbeat'),
    find: 'handle: () => undefined',
    replace: "handle: () => ({ type: 'PONG', payload: { serverTime: 0 } })",
  },
  {
    check: 'server-ping',
    name: 'typed PONG is not recorded',
    file: 'reference-server/dispatch.js',
    find: "connection.heartbeat?.answer(envelope.id, 'message')",
    replace: 'false',
  },
  {
    check: 'server-ping',
    name: 'silence is tolerated',
    file: 'reference-server/heartbeat-monitor.js',
    find: 'this.#keeper.dead(this.#peer)',
    replace: 'undefined',
  },
  {
    check: 'server-ping',
    name: 'silence is closed with another code',
    file: 'reference-server/close-codes.js',
    find: 'heartbeat: { code: 4408,',
    replace: 'heartbeat: { code: 4400,',
  },
  {
    check: 'server-ping',
    name: 'only ping frames are sent',
    file: plugin('heartbeat'),
    find: 'if (typed)',
    replace: 'if (false)',
  },
  {
    check: 'auth-missing',
    name: 'nobody needs a token',
    file: plugin('auth'),
    find: 'return role === undefined\n',
    replace: 'return true\n',
  },
  {
    check: 'auth-missing',
    name: 'the refusal has no JSON body',
    file: plugin('refuse'),
    find: '.send({ error, message, ...more })',
    replace:
      ".send(status === 401 && message.startsWith('a token is needed') ? undefined : { error, message, ...more })",
  },
  {
    check: 'auth-expired',
    name: 'expired tokens are accepted',
    file: 'lib/token/verify.js',
    find: 'const toleranceS = options.clockToleranceS ?? 5;',
    replace: 'const toleranceS = options.clockToleranceS ?? 86_400;',
  },
  {
    check: 'auth-signature',
    name: 'foreign signatures are accepted',
    file: 'lib/token/verify.js',
    find: 'return { ok: false, ...explain(error) };',
    replace:
      "return error.code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED' ? { ok: true, claims: JSON.parse(Buffer.from(token.split('.')[1], 'base64url')) } : { ok: false, ...explain(error) };",
  },
  {
    check: 'auth-none',
    name: 'unsigned tokens are accepted',
    file: 'lib/token/verify.js',
    find: 'if (token.length > maxTokenLength)',
    replace:
      "if (token.endsWith('.')) return { ok: true, claims: JSON.parse(Buffer.from(token.split('.')[1], 'base64url')) };\nif (token.length > maxTokenLength)",
  },
  {
    check: 'auth-first-message',
    name: 'a bad AUTH keeps the connection',
    file: handler('session'),
    find: "new Refusal('UNAUTHENTICATED', message, closeOf[reason])",
    replace: "new Refusal('UNAUTHENTICATED', message)",
  },
  {
    check: 'auth-first-message',
    name: 'a bad AUTH closes with another code',
    file: 'reference-server/close-codes.js',
    find: 'tokenInvalid: { code: 4401,',
    replace: 'tokenInvalid: { code: 1008,',
  },
  {
    check: 'auth-subprotocol',
    name: 'the first subprotocol is selected, whatever it is',
    file: 'reference-server/websocket-servers.js',
    find: 'offered.has(subprotocol) && subprotocol',
    replace: '[...offered].at(-1)',
  },
  {
    check: 'auth-subprotocol',
    name: 'tokens among the subprotocols are overlooked',
    file: 'reference-server/credentials.js',
    find: "form.startsWith('bearer.')",
    replace: 'false',
  },
  {
    check: 'auth-refresh',
    name: 'the end of a token is not announced',
    file: 'reference-server/token-lifetime.js',
    find: "this.#connection.send('TOKEN_EXPIRING',",
    replace: "void ('TOKEN_EXPIRING',",
  },
  {
    check: 'auth-refresh',
    name: 'a fresh token does not move the end',
    file: 'reference-server/token-lifetime.js',
    find: 'this.#alarms.cancel(this);',
    replace: '',
  },
  {
    check: 'auth-refresh',
    name: 'a fresh token of another subject is taken',
    file: handler('session'),
    find: 'const before = connection.identity;',
    replace: 'const before = undefined;',
  },
  {
    check: 'auth-role',
    name: 'roles are not checked at the handshake',
    file: plugin('auth'),
    find: '!verdict.identity.roles.includes(role)',
    replace: 'false',
  },
  {
    check: 'auth-role',
    name: 'roles are not checked for messages',
    file: 'reference-server/dispatch.js',
    find: '!access.some((role) => identity.roles.includes(role))',
    replace: 'false',
  },
  {
    check: 'rate-limit-messages',
    name: 'the limiter is off',
    file: plugin('websocket'),
    find: 'limitMessages: true',
    replace: 'limitMessages: false',
  },
  {
    check: 'rate-limit-messages',
    name: 'the burst is one too many',
    file: limit('bucket'),
    find: 'if (this.#level >= unitsPerToken)',
    replace: 'if (this.#level >= 0)',
  },
  {
    check: 'rate-limit-messages',
    name: 'the burst is one too few',
    file: limit('bucket'),
    find: 'this.#level = limits.burstLimit * unitsPerToken;',
    replace: 'this.#level = (limits.burstLimit - 1) * unitsPerToken;',
  },
  {
    check: 'rate-limit-messages',
    name: 'the penalty is half as long as announced',
    file: limit('bucket'),
    find: 'if (nowMs < this.#penaltyUntilMs)',
    replace: 'if (nowMs < this.#penaltyUntilMs - this.#limits.violationPenaltyMs / 2)',
  },
  {
    check: 'rate-limit-messages',
    name: 'refusals extend the penalty',
    file: limit('bucket'),
    find: 'return this.#refuse(nowMs, false);',
    replace:
      '{ this.#penaltyUntilMs = nowMs + this.#limits.violationPenaltyMs; return this.#refuse(nowMs, false); }',
  },
  {
    check: 'rate-limit-messages',
    name: 'every refusal is announced',
    file: limit('bucket'),
    find: 'const notify = violation ||',
    replace: 'const notify = true ||',
  },
  {
    check: 'rate-limit-messages',
    name: 'retryAfterMs is made up',
    file: limit('bucket'),
    find: 'Math.ceil(this.#penaltyUntilMs - nowMs - roundingMs)',
    replace: '5',
  },
  {
    check: 'rate-limit-reconnect',
    name: 'a closed connection leaves no bucket behind',
    file: limit('memory'),
    find: 'this.#parked?.park(key, bucket, this.#clock.nowMs());',
    replace: ';',
  },
  {
    check: 'rate-limit-reconnect',
    name: 'reconnecting ends the penalty',
    file: limit('bucket'),
    find: 'this.#noticedAtMs = Number.NEGATIVE_INFINITY;\n        this.#suppressed = 0;',
    replace: 'this.#penaltyUntilMs = Number.NEGATIVE_INFINITY;',
  },
  {
    check: 'rate-limit-flood',
    name: 'a flood is never closed',
    file: limit('bucket'),
    find: 'this.#refusals >= Math.max',
    replace: 'false && this.#refusals >= Math.max',
  },
  {
    check: 'rate-limit-http',
    name: 'no 429 from the status endpoint',
    file: plugin('health'),
    find: 'if (waitMs > 0)',
    replace: 'if (false)',
  },
  {
    check: 'rate-limit-http',
    name: '429 without Retry-After',
    file: plugin('health'),
    find: "reply.header('retry-after', Math.ceil(waitMs / 1000));",
    replace: '',
  },
  {
    check: 'rate-limit-upgrade',
    name: 'no 429 at the handshake',
    file: plugin('guard'),
    find: 'if (waitMs > 0)',
    replace: 'if (false)',
  },
  {
    check: 'rate-limit-upgrade',
    name: 'the limit comes after the token',
    file: plugin('guard'),
    find: "app.addHook('onRequest',",
    replace: "app.addHook('preHandler',",
  },
];
