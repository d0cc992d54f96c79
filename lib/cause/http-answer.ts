// HTTP answers to an upgrade, other than a good 101: read within bounds, and put into one line.
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import { oneLine } from './one-line.ts';

const maxBodyBytes = 1024;
const shownBodyBytes = 200;
const shownHeaderLength = 200;

/** An HTTP answer. */
export interface HttpAnswer {
  status: number;
  /** What follows the status in its line. */
  statusText: string;
  /** By name in small letters. */
  headers: Record<string, string>;
  /** At most the first KiB. */
  body: string;
}

/**
 * Reads an answer with the beginning of its body. A body that breaks off or does not end is still an answer.
 *
 * @param waitMs the longest time that the body is waited for
 */
export function readHttpAnswer(
  response: IncomingMessage,
  waitMs: number,
  done: (answer: HttpAnswer) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let finished = false;
  const finish = (): void => {
    if (finished) return;
    finished = true;
    clearTimeout(timer);
    response.pause();
    done({
      status: response.statusCode ?? 0,
      statusText: response.statusMessage ?? '',
      headers: headersOf(response),
      body: Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8'),
    });
  };
  const timer = setTimeout(finish, waitMs);
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= maxBodyBytes) finish();
  });
  for (const event of ['end', 'error', 'close']) response.on(event, finish);
}

/** The headers of a message, each as one text. */
export function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]),
  );
}

/** Status, Retry-After, Location and the first bytes of the body: `HTTP 429 Too Many Requests; Retry-After: 7`. */
export function httpDetail({ status, statusText, headers, body }: HttpAnswer): string {
  const text = oneLine(Buffer.from(body).subarray(0, shownBodyBytes).toString('utf8'));
  const named = (['Retry-After', 'Location'] as const).flatMap((name) => {
    const value = headers[name.toLowerCase()];
    return value === undefined
      ? []
      : [`${name}: ${oneLine(value).replaceAll(';', ',').slice(0, shownHeaderLength)}`];
  });
  return [
    `HTTP ${status} ${oneLine(statusText || STATUS_CODES[status] || '').slice(0, shownHeaderLength)}`.trim(),
    ...named,
    ...(text === '' ? [] : [`body: ${text}`]),
  ].join('; ');
}
