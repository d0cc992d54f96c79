// Offers and answers of permessage-deflate, rule by rule, and what ws makes of ours.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import {
  acceptOffer,
  agreementOf,
  type DeflateParameters,
  type DeflatePreferences,
  deflateHeader,
  judgeAnswer,
  readParameters,
} from '../../lib/protocol/deflate-negotiation.ts';
import { parseExtensions } from '../../lib/protocol/header-list.ts';

const pmd = 'permessage-deflate';
const snct = { serverNoContextTakeover: true };
const cnct = { clientNoContextTakeover: true };

// biome-ignore format: a table
const headers: [DeflateParameters, string][] = [
  [{}, pmd],
  [snct, `${pmd}; server_no_context_takeover`],
  [cnct, `${pmd}; client_no_context_takeover`],
  [{ serverMaxWindowBits: 10 }, `${pmd}; server_max_window_bits=10`],
  [{ clientMaxWindowBits: true }, `${pmd}; client_max_window_bits`],
  [{ clientMaxWindowBits: 9 }, `${pmd}; client_max_window_bits=9`],
  [{ ...snct, ...cnct, serverMaxWindowBits: 8, clientMaxWindowBits: 15 }, `${pmd}; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8; client_max_window_bits=15`],
];
test('what is written is read', () => {
  for (const [parameters, header] of headers) {
    assert.equal(deflateHeader(parameters), header);
    const [element] = parseExtensions(header) ?? [];
    assert.ok(element);
    assert.deepEqual(readParameters(element, 'offer'), parameters);
  }
});

const both = (server: [number, boolean], client: [number, boolean]): object => ({
  server: { windowBits: server[0], contextTakeover: server[1] },
  client: { windowBits: client[0], contextTakeover: client[1] },
});

// A text says what is wrong; null: declined. RFC 7692 §7.1
// biome-ignore format: a table
const answers: [name: string, offer: DeflateParameters | null, header: string | undefined, result: object | RegExp | null][] = [
  ['no header', {}, undefined, null],
  ['an empty header', {}, ' ', null],
  ['taken as it was offered', {}, pmd, both([15, true], [15, true])],
  ['nothing was offered', null, pmd, /was not offered/],
  ['another extension', {}, 'x-webkit-deflate-frame', /x-webkit-deflate-frame was not offered/],
  ['one more extension', {}, `${pmd}, foo`, /foo was not offered/],
  ['twice', {}, `${pmd}, ${pmd}`, /answered 2 times/],
  ['no grammar', {}, `${pmd};;`, /grammar/],
  ['an unknown parameter', {}, `${pmd}; level=9`, /level is no parameter/],
  ['a parameter twice', {}, `${pmd}; server_no_context_takeover; server_no_context_takeover`, /given twice/],
  ['takeover with a value', {}, `${pmd}; server_no_context_takeover=1`, /takes no value/],
  ['client takeover with a value', {}, `${pmd}; client_no_context_takeover="true"`, /takes no value/],
  // §7.1.1.1
  ['the server gives up its context unasked', {}, `${pmd}; server_no_context_takeover`, both([15, false], [15, true])],
  ['the server gives up its context as asked', snct, `${pmd}; server_no_context_takeover`, both([15, false], [15, true])],
  ['the server keeps its context though asked', snct, pmd, /server_no_context_takeover was offered/],
  // §7.1.1.2
  ['the client must give up its context, offered', cnct, `${pmd}; client_no_context_takeover`, both([15, true], [15, false])],
  ['the client must give up its context, not offered', {}, `${pmd}; client_no_context_takeover`, both([15, true], [15, false])],
  ['the client offered to, the server does not ask', cnct, pmd, both([15, true], [15, true])],
  // §7.1.2.1
  ['a smaller server window unasked', {}, `${pmd}; server_max_window_bits=9`, both([9, true], [15, true])],
  ['a server window as asked', { serverMaxWindowBits: 10 }, `${pmd}; server_max_window_bits=10`, both([10, true], [15, true])],
  ['a server window in quotes', { serverMaxWindowBits: 10 }, `${pmd}; server_max_window_bits="10"`, both([10, true], [15, true])],
  ['a smaller one than asked', { serverMaxWindowBits: 10 }, `${pmd}; server_max_window_bits=8`, both([8, true], [15, true])],
  ['a larger one than asked', { serverMaxWindowBits: 10 }, `${pmd}; server_max_window_bits=11`, /does not keep to it/],
  ['none though asked', { serverMaxWindowBits: 10 }, pmd, /does not keep to it/],
  ['none though asked for all', { serverMaxWindowBits: 15 }, pmd, /does not keep to it/],
  ['server bits of 7', {}, `${pmd}; server_max_window_bits=7`, /not 8 to 15/],
  ['server bits of 16', {}, `${pmd}; server_max_window_bits=16`, /not 8 to 15/],
  ['server bits with a zero before', {}, `${pmd}; server_max_window_bits=09`, /not 8 to 15/],
  ['server bits with a sign', {}, `${pmd}; server_max_window_bits=+9`, /not 8 to 15/],
  ['server bits without a value', {}, `${pmd}; server_max_window_bits`, /not 8 to 15/],
  // §7.1.2.2
  ['a client window though it was not offered', {}, `${pmd}; client_max_window_bits=10`, /was not offered/],
  ['a client window', { clientMaxWindowBits: true }, `${pmd}; client_max_window_bits=10`, both([15, true], [10, true])],
  ['a client window as offered', { clientMaxWindowBits: 10 }, `${pmd}; client_max_window_bits=10`, both([15, true], [10, true])],
  ['a larger client window than offered', { clientMaxWindowBits: 10 }, `${pmd}; client_max_window_bits=11`, /larger than the 10/],
  ['the client may, and need not', { clientMaxWindowBits: true }, pmd, both([15, true], [15, true])],
  ['client bits without a value', { clientMaxWindowBits: true }, `${pmd}; client_max_window_bits`, /not 8 to 15/],
  ['client bits of 99', { clientMaxWindowBits: true }, `${pmd}; client_max_window_bits=99`, /not 8 to 15/],
  ['all four', { ...snct, serverMaxWindowBits: 9, clientMaxWindowBits: true }, `${pmd}; client_max_window_bits=8; server_max_window_bits=9; client_no_context_takeover; server_no_context_takeover`, both([9, false], [8, false])],
];
describe('answers of a server', () => {
  for (const [name, offer, header, result] of answers) {
    test(name, () => {
      const judged = judgeAnswer(header, offer);
      if (result instanceof RegExp) {
        assert.ok(judged !== null && 'problem' in judged, JSON.stringify(judged));
        assert.match(judged.problem, result);
      } else assert.deepEqual(judged, result);
    });
  }
});

// biome-ignore format: a table
const offers: [name: string, header: string | undefined, prefer: DeflatePreferences, answer: DeflateParameters | null][] = [
  ['none', undefined, {}, null],
  ['another one', 'foo', {}, null],
  ['plain', pmd, {}, {}],
  ['not the first', `foo, ${pmd}`, {}, {}],
  ['no grammar', `${pmd};`, {}, null],
  ['an unknown parameter, then a good one', `${pmd}; x, ${pmd}; server_no_context_takeover`, {}, snct],
  ['a wrong value', `${pmd}; server_max_window_bits=7`, {}, null],
  ['server bits without a value', `${pmd}; server_max_window_bits`, {}, null],
  ['a parameter twice', `${pmd}; client_max_window_bits; client_max_window_bits`, {}, null],
  ['the server must give up its context', `${pmd}; server_no_context_takeover`, {}, snct],
  ['the client will', `${pmd}; client_no_context_takeover`, {}, cnct],
  ['we give up ours', pmd, snct, snct],
  ['we want the client to', pmd, cnct, cnct],
  ['a server window', `${pmd}; server_max_window_bits=10`, {}, { serverMaxWindowBits: 10 }],
  ['a server window, ours is smaller', `${pmd}; server_max_window_bits=10`, { serverMaxWindowBits: 9 }, { serverMaxWindowBits: 9 }],
  ['a server window, ours is larger', `${pmd}; server_max_window_bits=10`, { serverMaxWindowBits: 12 }, { serverMaxWindowBits: 10 }],
  ['our server window unasked', pmd, { serverMaxWindowBits: 9 }, { serverMaxWindowBits: 9 }],
  ['the client can, we do not mind', `${pmd}; client_max_window_bits`, {}, {}],
  ['the client can, we want', `${pmd}; client_max_window_bits`, { clientMaxWindowBits: 10 }, { clientMaxWindowBits: 10 }],
  ['the client offers less than we want', `${pmd}; client_max_window_bits=9`, { clientMaxWindowBits: 10 }, { clientMaxWindowBits: 9 }],
  ['the client cannot, we want', pmd, { clientMaxWindowBits: 10 }, null],
  ['the client cannot, its next offer can', `${pmd}, ${pmd}; client_max_window_bits`, { clientMaxWindowBits: 10 }, { clientMaxWindowBits: 10 }],
];
describe('offers of a client', () => {
  for (const [name, header, prefer, answer] of offers) {
    test(name, () => {
      assert.deepEqual(acceptOffer(header, prefer), answer);
      // What we answer to an offer of ours, we accept.
      const [first] = (header === undefined ? undefined : parseExtensions(header)) ?? [];
      const offer = first && readParameters(first, 'offer');
      if (answer && offer && !('problem' in offer) && !header?.includes(',')) {
        assert.deepEqual(judgeAnswer(deflateHeader(answer), offer), agreementOf(answer));
      }
    });
  }
});

const bits = [undefined, 8, 9, 12, 15] as const;
const ours: DeflateParameters[] = [false, true].flatMap((server) =>
  [false, true].flatMap((client) =>
    bits.flatMap((serverBits) =>
      [...bits, true as const].map((clientBits) => ({
        ...(server ? snct : {}),
        ...(client ? cnct : {}),
        ...(serverBits === undefined ? {} : { serverMaxWindowBits: serverBits }),
        ...(clientBits === undefined ? {} : { clientMaxWindowBits: clientBits }),
      })),
    ),
  ),
);

/** The answer of ws to an offer, over a real upgrade; its own client judges it, too. */
async function wsAnswers(server: WebSocketServer, offer: string): Promise<string | undefined> {
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    perMessageDeflate: false,
    headers: { 'Sec-WebSocket-Extensions': offer },
  });
  socket.on('error', () => {});
  const [response] = (await once(socket, 'upgrade')) as [IncomingMessage];
  socket.terminate();
  return response.headers['sec-websocket-extensions'];
}

test('ws accepts every offer of ours, and we its answers', { timeout: 60_000 }, async (t) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: true });
  t.after(() => server.close());
  await once(server, 'listening');
  for (const offer of ours) {
    const header = deflateHeader(offer);
    const answer = await wsAnswers(server, header);
    const judged = judgeAnswer(answer, offer);
    assert.ok(judged !== null && !('problem' in judged), `${header} → ${answer}: ${JSON.stringify(judged)}`);
  }
});

test('an answer of ours says what we prefer', { timeout: 20_000 }, () => {
  for (const prefer of ours as DeflatePreferences[]) {
    if ((prefer.clientMaxWindowBits as unknown) === true) continue;
    const answer = acceptOffer(`${pmd}; client_max_window_bits`, prefer);
    assert.ok(answer);
    assert.deepEqual(agreementOf(answer).server.windowBits, prefer.serverMaxWindowBits ?? 15);
    assert.deepEqual(agreementOf(answer).client.windowBits, prefer.clientMaxWindowBits ?? 15);
  }
});
