// A WebSocket handshake over a bare socket.
import { randomBytes } from 'node:crypto';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import querystring from 'node:querystring';
import { connect as connectTls, rootCertificates } from 'node:tls';
import type { Cause } from '../cause/cause.ts';
import { classify, headersTooLong, hungUp, timedOut } from '../cause/connect-error.ts';
import { upgradeFault } from '../cause/upgrade.ts';
import { watchStage } from '../cause/watch-stage.ts';
import { ConnectError, type ConnectFailure, failureOf, refusalOf } from './failure.ts';
import type { ConnectPlan } from './plan.ts';
import { RawConnection } from './raw-connection.ts';

/** As many bytes of headers as Node takes. */
const maxHeadBytes = 16 * 1024;

/**
 * Connects and upgrades.
 *
 * @throws ConnectError that says why it did not open
 */
export async function openRaw(options: ConnectPlan): Promise<RawConnection> {
  const url = new URL(options.url);
  const secure = url.protocol === 'wss:';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (secure ? 443 : 80));
  const key = randomBytes(16).toString('base64');
  const opened = await new Promise<RawConnection | ConnectFailure>((resolve) => {
    const socket = secure
      ? connectTls({
          host,
          port,
          rejectUnauthorized: !options.insecure,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          ...(options.caCertificates.length > 0
            ? { ca: [...rootCertificates, ...options.caCertificates] }
            : {}),
        })
      : connectTcp({ host, port });
    const stageOf = watchStage(socket, host, secure);
    let answer = Buffer.alloc(0);
    const settle = (outcome: RawConnection | ConnectFailure): void => {
      clearTimeout(timer);
      socket.off('data', read);
      if (!(outcome instanceof RawConnection)) socket.destroy();
      resolve(outcome);
    };
    const fail = (cause: Cause): void => settle(failureOf(cause, stageOf()));
    const timer = setTimeout(
      () => fail(timedOut(stageOf(), options.timeoutMs, answer.length)),
      options.timeoutMs,
    );
    const read = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf('\r\n\r\n');
      if (end >= 0) settle(readAnswer(socket, answer, end, key, options));
      else if (answer.length > maxHeadBytes) fail(headersTooLong);
    };
    socket.setNoDelay(true);
    socket.on('data', read);
    socket.on('error', (error) => fail(classify(error, stageOf())));
    socket.on('close', () => fail(hungUp(stageOf())));
    socket.once(secure ? 'secureConnect' : 'connect', () => socket.write(handshake(url, key, options)));
  });
  if (opened instanceof RawConnection) return opened;
  throw new ConnectError(opened);
}

function handshake(url: URL, key: string, { headers, subprotocols }: ConnectPlan): string {
  const lines = [
    `GET ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    ...(subprotocols.length > 0 ? [`Sec-WebSocket-Protocol: ${subprotocols.join(', ')}`] : []),
    ...basic(url, headers),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The user information of a URL as the header that it stands for. RFC 7617 §2 */
function basic({ username, password }: URL, headers: ConnectPlan['headers']): string[] {
  const given = Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
  if (given || (username === '' && password === '')) return [];
  const pair = `${querystring.unescape(username)}:${querystring.unescape(password)}`;
  return [`Authorization: Basic ${Buffer.from(pair).toString('base64')}`];
}

function readAnswer(
  socket: Socket,
  answer: Buffer,
  end: number,
  key: string,
  { subprotocols }: ConnectPlan,
): RawConnection | ConnectFailure {
  const [statusLine = '', ...lines] = answer.subarray(0, end).toString('latin1').split('\r\n');
  const [, httpVersion = '', digits = '', statusText = ''] =
    /^HTTP\/(1\.[01]) (\d{3})(?: (.*))?$/.exec(statusLine) ?? [];
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const rest = answer.subarray(end + 4);
  const status = Number(digits);
  if (status !== 101) return refusalOf({ status, statusText, headers, body: rest.toString('utf8', 0, 1024) });
  const fault = upgradeFault({ httpVersion, headers }, { key, subprotocols });
  return fault ? failureOf(fault, 'upgrade') : new RawConnection(socket, rest);
}
