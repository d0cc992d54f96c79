// One upgrade request, its headers as given: also several of one name, which no WebSocket client would send.
import { request } from 'node:http';
import type { ReferenceServer } from '../../reference-server/index.ts';

export interface Answer {
  status: number;
  /** The subprotocol that was selected. */
  selected: string | undefined;
  challenge: string | undefined;
  /** Status line, headers and body. */
  text: string;
}

/** One upgrade with these headers, in this order and as often as they stand there. */
export function upgrade(
  server: Pick<ReferenceServer, 'httpUrl'>,
  path: string,
  headers: readonly string[],
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.httpUrl);
    const own = [
      ...['Host', hostname, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
      ...['Sec-WebSocket-Version', '13', 'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ=='],
    ];
    const sent = request({ host: hostname, port, path, headers: [...own, ...headers] as never });
    const answer = (status = 0, got: Record<string, unknown>, body: string): void =>
      resolve({
        status,
        selected: got['sec-websocket-protocol'] as string | undefined,
        challenge: got['www-authenticate'] as string | undefined,
        text: `${JSON.stringify(got)}${body}`,
      });
    sent.on('upgrade', (response, socket) => {
      socket.destroy();
      answer(response.statusCode, response.headers, '');
    });
    sent.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        answer(response.statusCode, response.headers, Buffer.concat(chunks).toString()),
      );
    });
    sent.on('error', reject);
    sent.end();
  });
}
