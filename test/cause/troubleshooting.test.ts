// docs/troubleshooting.md says what the product says: it is made of the same words. UPDATE_GOLDEN=1 writes it anew.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { FailureKind } from '../../lib/cause/cause.ts';
import { closeAdvice, describeClose } from '../../lib/cause/close-code.ts';
import { hintOf } from '../../lib/cause/hints.ts';
import { describeViolation, knownErrors, violationOf } from '../../lib/cause/violation.ts';

import { type Cause, type GeneratorMeans, healthAdvice } from '../../lib/load/health-advice.ts';
import { shortages } from '../../lib/preflight.ts';

// biome-ignore format: a table
const connects: readonly [kind: FailureKind, detail: string][] = [
  ['refused', 'connect ECONNREFUSED 127.0.0.1:8080'],
  ['dns', 'getaddrinfo ENOTFOUND staging.example'],
  ['network', 'connect EHOSTUNREACH 192.0.2.1:443'],
  ['resources', 'connect EMFILE'],
  ['resources', 'connect ENFILE'],
  ['resources', 'connect EADDRNOTAVAIL 192.0.2.1:443'],
  ['resources', 'EADDRNOTAVAIL: no free local port in 127.0.0.2:10000–65535'],
  ['resources', 'connect ENOBUFS'],
  ['timeout', 'no answer within 10000 ms, waiting for the TCP connection'],
  ['timeout', 'no answer within 10000 ms, waiting for the TLS handshake'],
  ['timeout', 'no HTTP answer to the upgrade within 10000 ms'],
  ['tls', 'EPROTO: wrong version number'],
  ['tls', 'the port speaks TLS: it hung up on plain text'],
  ['tls', 'CERT_HAS_EXPIRED: certificate has expired'],
  ['tls', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['tls', 'DEPTH_ZERO_SELF_SIGNED_CERT: self-signed certificate'],
  ['reset', 'the connection was closed without an HTTP answer'],
  ['http', 'HTTP 200 OK'],
  ['http', 'HTTP 301 Moved Permanently'],
  ['http', 'HTTP 401 Unauthorized'],
  ['http', 'HTTP 403 Forbidden'],
  ['http', 'HTTP 404 Not Found'],
  ['http', 'HTTP 426 Upgrade Required'],
  ['http', 'HTTP 429 Too Many Requests'],
  ['http', 'HTTP 502 Bad Gateway'],
  ['http', 'HTTP 503 Service Unavailable'],
  ['accept-key', 'HTTP 101, but with a wrong Sec-WebSocket-Accept'],
  ['subprotocol', 'HTTP 101, but with a subprotocol that was not offered'],
  ['subprotocol', 'HTTP 101, but it chose none of the subprotocols that were offered'],
  ['extension', 'HTTP 101, but with an extension that was not offered'],
  ['handshake', 'the answer is not HTTP'],
  ['join', 'refused: "…", waiting for …'],
  ['join', 'still waiting for … 10 s after the upgrade; nothing came'],
  ['join', 'it closed with 4406 "…", waiting for …'],
];
const closes = [1001, 1003, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 4401, 4403, 4408, 4429];

const means: GeneratorMeans = { workers: 1, cores: 2, mostWorkers: 100, spin: false, throttled: null };
const limits: [Cause, GeneratorMeans][] = [
  [{ model: 'open', isFull: true, longestGcMs: 0 }, means],
  [
    { model: 'closed', isFull: true, longestGcMs: 0 },
    { ...means, workers: 2 },
  ],
  [
    { model: 'open', isFull: false, longestGcMs: 0 },
    { ...means, cores: 0.5, throttled: { ms: 470, periods: 10 } },
  ],
  [{ model: 'open', isFull: false, longestGcMs: 120 }, means],
  [
    { model: 'open', isFull: true, longestGcMs: 0 },
    { ...means, workers: 2, spin: true },
  ],
  [{ model: 'open', isFull: false, longestGcMs: 0 }, means],
];

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

function document(): string {
  const violations = knownErrors.flatMap((code) => violationOf({ code, message: '' }) ?? []);
  return `# What went wrong

\`quick\`, \`stress\`, \`conform\` and \`connect\` name a fault of the target in the same words. Exit codes: \`stress\` ends with 3 when no WebSocket opened, and
with 99 when a threshold was crossed; \`quick\` and \`conform\` end with 3 when there was no TCP or TLS connection, and with 1 when a check or case failed.

## No WebSocket opened

${table(
  ['kind', 'you see', 'what to do'],
  connects.map(([kind, detail]) => [`\`${kind}\``, detail, hintOf(kind, detail) ?? '']),
)}

A \`Retry-After\` is told as the time to wait, whether the target sends seconds or a date. \`join\` is a WebSocket that opened, and an
opening by messages that failed: the token by message, or a step of \`join\` ([targets.md](targets.md#steps)).

## The target does not answer as expected

Before the load \`stress\` sends one message, the probe. Nobody said how the target talks, and it is not answered: exit 2, and what came
instead. It goes on when a preset or target file was named; what is lost then is counted. [targets.md](targets.md#when-it-does-not-work)
says what to look at, [tasks.md](tasks.md) how common servers are named.

## The target breaks the protocol

Counted as \`protocol_errors\`, one a connection, and listed under \`violations\` in the JSON. Each is a bug of the target, or of a
proxy before it, and nothing in the options of wsbench makes it go away.

${violations.map((violation) => `- ${describeViolation(violation)}`).join('\n')}

## The target ends the connection

${table(
  ['you see', 'what to do or to look at'],
  closes.map((code) => [describeClose(code), closeAdvice(code) ?? '']),
)}

When connections end after the same idle time, or at the same age, the warning says so: an idle timeout, or a limit on how
long a connection may live. Connections that are open and answer neither messages nor pings are told of as half-open.

## wsbench has too little to work with

Too few open files or local ports for the connections that are asked for: \`stress\` refuses to begin, with exit code 2 and all that is
missing in one line. \`wsbench doctor\` ([doctor.md](doctor.md)) says what there is.

${shortages(
  { connections: 30_000, workers: 2 },
  { files: 20_000, openFiles: 30, ports: 28_232, portsResting: 900 },
)
  .map((line) => `- ${line}`)
  .join('\n')}

Each connection takes a file and, for its target, a local port. Closed connections hold theirs for a minute, except on the loopback
interface, where Linux uses them again. \`--local-address a,b\` makes wsbench choose the ports, from 10000 up, on each of the addresses.
What runs out during a run makes it inconclusive (exit code 4), as \`resources\` above.

## wsbench itself was too slow

Exit code 4, \`generator-limited\`: the latencies include the generator's own delay and say little about the target
([measurement.md](measurement.md#when-the-generator-is-the-bottleneck)). What helps depends on what held it up:

${limits.flatMap(([cause, means]) => healthAdvice(cause, means).map((line) => `- ${line}`)).join('\n')}
`;
}

test('the document on troubleshooting has the words of the product', () => {
  const file = new URL('../../../docs/troubleshooting.md', import.meta.url);
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(file, document());
  assert.equal(readFileSync(file, 'utf8'), document());
});
