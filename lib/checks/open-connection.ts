// Opens the WebSockets of checks: the handshake, judged and named, and the opening behind it.
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { rootCertificates } from 'node:tls';
import { type ClientOptions, WebSocket } from 'ws';
import type { Cause, Stage } from '../cause/cause.ts';
import { classify, timedOut } from '../cause/connect-error.ts';
import { headersOf, readHttpAnswer } from '../cause/http-answer.ts';
import { tlsInstead } from '../cause/speaks-tls.ts';
import { upgradeFault } from '../cause/upgrade.ts';
import { watchStage } from '../cause/watch-stage.ts';
import { CheckConnection } from './connection.ts';
import { ConnectError, type ConnectFailure, failureOf, refusalOf } from './failure.ts';
import type { ConnectPlan } from './plan.ts';
import { retrying } from './retrying.ts';
import type { Talk } from './talk.ts';

export interface ConnectionOptions extends ConnectPlan {
  /** Answer ping frames with pong frames. */
  autoPong: boolean;
  /** What is said without being asked to: the opening, heartbeats. */
  talk: Talk;
  /** Wait and try again when the handshake gets 429 with a Retry-After of at most 2 s. */
  retryWhenLimited: boolean;
  signal: AbortSignal;
}

/** Of an answer that is no 101; its head came in time already. */
const bodyWaitMs = 1000;
/** More than the largest message that a check sends; longer replies than that are not waited for. */
const maxPayloadBytes = 20 * 1024 * 1024;

/**
 * Opens a connection and does what its talk begins with.
 *
 * @throws ConnectError that says why it did not open
 */
export function openConnection(options: ConnectionOptions): Promise<CheckConnection> {
  return retrying(options.retryWhenLimited, options.signal, async () => {
    const opened = await attemptOnce(options);
    if (!(opened instanceof CheckConnection)) throw new ConnectError(opened);
    const failure = await opened.join();
    if (!failure) return opened;
    opened.terminate();
    throw new ConnectError(failure);
  });
}

function attemptOnce(options: ConnectionOptions): Promise<CheckConnection | ConnectFailure> {
  const startedMs = performance.now();
  const { hostname, protocol } = new URL(options.url);
  const secure = protocol === 'wss:';
  let request: ClientRequest | undefined;
  let tcp: Socket | undefined;
  let stageOf = (): Stage => 'tcp';
  const clientOptions: ClientOptions & { finishRequest: (request: ClientRequest) => void } = {
    headers: options.headers,
    perMessageDeflate: false,
    autoPong: options.autoPong,
    maxPayload: maxPayloadBytes,
    rejectUnauthorized: !options.insecure,
    ...(options.caCertificates.length > 0 ? { ca: [...rootCertificates, ...options.caCertificates] } : {}),
    finishRequest: (made) => {
      request = made;
      made.once('socket', (socket) => {
        tcp = socket;
        stageOf = watchStage(socket, hostname, secure);
      });
      made.end();
    },
  };
  return new Promise((resolve) => {
    const socket = new WebSocket(options.url, [...options.subprotocols], clientOptions);
    let settled = false;
    const settle = (outcome: CheckConnection | ConnectFailure): void => {
      settled = true;
      clearTimeout(timer);
      options.signal.removeEventListener('abort', abort);
      resolve(outcome);
      if (!(outcome instanceof CheckConnection)) socket.terminate();
    };
    const fail = (cause: Cause): void => settle(failureOf(cause, stageOf()));
    const abort = (): void =>
      settle({ kind: 'aborted', reached: stageOf() === 'upgrade', message: 'aborted' });
    const timer = setTimeout(
      () => fail(timedOut(stageOf(), options.timeoutMs, tcp?.bytesRead)),
      options.timeoutMs,
    );
    // ws judges the same, but names less, and takes HTTP/1.0.
    const judge = (response: IncomingMessage): void => {
      const key = String(request?.getHeader('sec-websocket-key'));
      const answer = { httpVersion: response.httpVersion, headers: headersOf(response) };
      const fault = upgradeFault(answer, { key, subprotocols: options.subprotocols });
      if (fault) fail(fault);
    };
    socket.once('upgrade', judge);
    // terminate() on a connection that never opened reports an error; the first outcome stands.
    socket.on('error', (error) => {
      if (settled) return;
      const cause = classify(error, stageOf());
      clearTimeout(timer);
      void tlsInstead(cause, stageOf(), options.url).then((found) => fail(found));
    });
    socket.once('open', () => settle(new CheckConnection(socket, options, startedMs)));
    socket.once('unexpected-response', (_request, response) => {
      clearTimeout(timer);
      if (response.statusCode === 101) judge(response);
      else readHttpAnswer(response, bodyWaitMs, (answer) => settle(refusalOf(answer)));
    });
    options.signal.addEventListener('abort', abort, { once: true });
    if (options.signal.aborted) abort();
  });
}
