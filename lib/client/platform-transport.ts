// The platform's WebSocket: browsers, workers, and Node from 22 on.
import type { ClientSocket, OpenRequest, SocketSink, Transport } from './transport.ts';

/** As much of the standard's WebSocket as is used here. */
interface PlatformSocket {
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(text: string): void;
  close(code?: number, reason?: string): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: (() => void) | null;
  onclose: ((event: { code: number; reason: string; wasClean: boolean }) => void) | null;
  binaryType: string;
}

/** The constructor that the platform has, if it has one. */
export type PlatformWebSocket = new (url: string, protocols: string[]) => PlatformSocket;

const open = 1;

/** Opens sockets with a constructor of the platform's kind. */
export function platformTransport(Socket: PlatformWebSocket): Transport {
  return Object.assign(
    (request: OpenRequest, sink: SocketSink): ClientSocket => {
      const socket = new Socket(request.url, [...request.protocols]);
      socket.binaryType = 'arraybuffer';
      socket.onopen = () => sink.opened();
      socket.onmessage = ({ data }) => {
        if (typeof data === 'string') sink.text(data);
        else sink.binary();
      };
      // `onclose` says the same; but some of these sockets throw what nobody listens for.
      socket.onerror = () => {};
      socket.onclose = ({ code, reason, wasClean }) =>
        sink.ended({ code, reason, by: wasClean && code !== 1006 ? 'server' : 'network' });
      // Pages may close with 1000 and with codes from 3000 on only: 1003 is told as 4003.
      const close = (code: number, reason: string): void =>
        socket.close(code === 1000 || code >= 3000 ? code : code + 3000, reason);
      return {
        send: (text: string) => {
          if (socket.readyState === open) socket.send(text);
        },
        get unsentBytes() {
          return socket.bufferedAmount;
        },
        close,
        terminate: () => {
          socket.onopen = null;
          socket.onmessage = null;
          socket.onclose = null;
          // There is no harder end; what still comes is heard by nobody.
          socket.close();
        },
      };
    },
    { canSendHeaders: false },
  );
}
