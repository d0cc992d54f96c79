// What handshakes that ask for the same learn from one another: thousands of connections ask one server for one thing.
import { acceptOf } from '../protocol/handshake.ts';
import type { Endpoint } from './endpoint.ts';
import type { Handshake } from './upgrade.ts';

const end = '\r\n\r\n';
const acceptLength = 28;

/**
 * Shared by the handshakes of one endpoint with the same options. The text of the request is made once, but for the key; and an
 * answer that is, but for the value that answers the key, byte for byte the one that was judged before needs no other judgement.
 */
export class UpgradeMemory {
  #endpoint: Endpoint | undefined;
  #beforeKey = '';
  #afterKey = '';
  #handshake: Handshake | undefined;
  #beforeAccept = '';
  #afterAccept = '';

  /** The request with another key; undefined when it is not known. */
  request(endpoint: Endpoint, key: string): Buffer | undefined {
    if (endpoint !== this.#endpoint) return undefined;
    return Buffer.from(this.#beforeKey + key + this.#afterKey, 'latin1');
  }

  /** Keeps a request, if its key stands there once. */
  keepRequest(endpoint: Endpoint, key: string, request: Buffer): void {
    const parts = request.toString('latin1').split(key);
    if (parts.length !== 2) return;
    [this.#beforeKey = '', this.#afterKey = ''] = parts;
    this.#endpoint = endpoint;
  }

  /** What a chunk comes to that begins with the known answer; undefined when it does not. */
  judge(chunk: Buffer, key: string): { handshake: Handshake; rest: Buffer } | undefined {
    const size = this.#beforeAccept.length + acceptLength + this.#afterAccept.length;
    if (!this.#handshake || chunk.length < size) return undefined;
    const head = chunk.toString('latin1', 0, size);
    const isKnown =
      head.endsWith(this.#afterAccept) &&
      head.startsWith(this.#beforeAccept) &&
      head.startsWith(acceptOf(key), this.#beforeAccept.length);
    if (!isKnown) return undefined;
    // A copy: the chunk lies where all connections read.
    return { handshake: this.#handshake, rest: Buffer.from(chunk.subarray(size)) };
  }

  /** Keeps an answer that came whole in one chunk and was judged to be good, if the value that answers the key stands there once. */
  keepAnswer(chunk: Buffer, key: string, handshake: Handshake): void {
    const text = chunk.toString('latin1');
    const head = text.slice(0, text.indexOf(end) + end.length);
    const parts = head.split(acceptOf(key));
    if (parts.length !== 2) return;
    [this.#beforeAccept = '', this.#afterAccept = ''] = parts;
    this.#handshake = handshake;
  }
}
