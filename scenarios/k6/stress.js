// The load of scenarios/stress.yml for k6 >= 1.6: a fixed number of connections, messages by schedule (open model), and
// every round trip counted from the time its message was due.
//
//   k6 run -e URL=wss://staging.example/ws -e TOKEN=… scenarios/k6/stress.js
//
// Settings, by -e NAME=value:
//   URL          ws://127.0.0.1:8080/ws
//   TOKEN        sent as "Authorization: Bearer …"; none by default
//   PRESET       wsbench: typed ECHO, answered by id (the reference protocol); echo: the server sends back what it gets
//   CONNECTIONS  10
//   RATE         100, messages per second over all connections
//   DURATION     30s, what is measured; SETTLE 500ms and WARMUP 1s come before it
//   SIZE         32, bytes of a message (at least what its envelope takes)
//   TIMEOUT      5s, after which a message without a reply is lost
//
// Exit codes are k6's: 0, 99 when a threshold was crossed (also when nothing listens at URL), 107 for a wrong setting.
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { setTimeout } from 'k6/timers';
import { WebSocket } from 'k6/websockets';

const url = __ENV.URL || 'ws://127.0.0.1:8080/ws';
const token = __ENV.TOKEN || '';
const preset = __ENV.PRESET || 'wsbench';
const connections = amount('CONNECTIONS', '10');
const ratePerSecond = amount('RATE', '100');
const sizeBytes = amount('SIZE', '32');
const settleMs = duration('SETTLE', '500ms');
const warmupMs = duration('WARMUP', '1s');
const durationMs = duration('DURATION', '30s');
const timeoutMs = duration('TIMEOUT', '5s');

if (preset !== 'wsbench' && preset !== 'echo')
  throw new Error(`PRESET: "${preset}" is neither wsbench nor echo`);
if (!Number.isInteger(connections)) throw new Error('CONNECTIONS: write a whole number');

// Message k is due at startMs + k / rate, on connection k mod connections: one schedule, however many runners share it.
const startMs = settleMs;
const firstMeasured = Math.ceil((ratePerSecond * warmupMs) / 1000);
const total = firstMeasured + Math.ceil((ratePerSecond * durationMs) / 1000);
const endMs = startMs + warmupMs + durationMs + timeoutMs;

// k6's Date.now() has whole milliseconds; this clock is monotonic and has fractions.
const now = () => exec.instance.currentTestRunDuration;
/** @param {number} k */
const dueMs = (k) => startMs + (k * 1000) / ratePerSecond;

const connectOk = new Rate('wsb_connect_ok');
const ok = new Rate('wsb_ok');
const rtt = new Trend('wsb_rtt', true);
const service = new Trend('wsb_service', true);
const sendLag = new Trend('wsb_send_lag', true);
const counters = {
  scheduled: new Counter('wsb_scheduled'),
  sent: new Counter('wsb_sent'),
  unsent: new Counter('wsb_unsent'),
  matched: new Counter('wsb_matched'),
  rejected: new Counter('wsb_rejected'),
  lost: new Counter('wsb_lost'),
  corrupt: new Counter('wsb_corrupt'),
  late: new Counter('wsb_late'),
  unexpected: new Counter('wsb_unexpected'),
};

export const options = {
  scenarios: {
    stress: {
      // One iteration is one connection: a failed one is not opened again, or k6 would retry thousands of times a second.
      executor: 'per-vu-iterations',
      vus: connections,
      iterations: 1,
      maxDuration: `${Math.ceil(endMs / 1000) + 65}s`,
    },
  },
  // Without the first, k6 ends with 0 when nothing could connect.
  thresholds: {
    wsb_connect_ok: ['rate==1'],
    wsb_ok: ['rate>0.99'],
    wsb_corrupt: ['count==0'],
  },
  summaryTrendStats: ['count', 'min', 'avg', 'med', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'max'],
};

/**
 * A message on its way.
 * @typedef {{ k: number, dueMs: number, sentMs: number, text: string }} Message
 */

/** One connection: opens it, plays its share of the schedule, waits for the last replies, closes it. */
export default function () {
  /** @type {Map<string, Message>} By id, in the order in which they were due. */
  const pending = new Map();
  /** @type {Set<string>} */
  const lostIds = new Set();
  let next = (exec.vu.idInTest - 1) % connections;
  let state = 'connecting';

  const headers = token === '' ? {} : { Authorization: `Bearer ${token}` };
  const socket = new WebSocket(url, null, { headers });

  socket.onopen = () => {
    state = 'open';
    connectOk.add(true);
    tick();
  };
  socket.onmessage = (event) => {
    const receivedMs = now();
    if (typeof event?.data === 'string') receive(event.data, receivedMs);
    else counters.unexpected.add(1);
  };
  socket.onerror = () => end();
  socket.onclose = () => end();

  // setInterval drifts under load; this timer is set anew towards the next due time, so an error never adds up.
  function tick() {
    if (state !== 'open') return;
    while (next < total && dueMs(next) <= now()) {
      send(next);
      next += connections;
    }
    expire();
    if (next >= total && pending.size === 0) {
      state = 'done';
      socket.close(1000);
      return;
    }
    const wakeMs = next < total ? dueMs(next) : now() + 20;
    setTimeout(tick, Math.max(0, Math.min(wakeMs - now(), 100)));
  }

  /** @param {number} k */
  function send(k) {
    const id = `k6-${String(k).padStart(9, '0')}`;
    const text = write(id);
    const sentMs = now();
    socket.send(text);
    pending.set(id, { k, dueMs: dueMs(k), sentMs, text });
    if (k < firstMeasured) return;
    counters.scheduled.add(1);
    counters.sent.add(1);
    sendLag.add(sentMs - dueMs(k));
  }

  /**
   * @param {string} text
   * @param {number} receivedMs
   */
  function receive(text, receivedMs) {
    const reply = read(text);
    if (reply.kind === 'ping') {
      socket.send(JSON.stringify({ type: 'PONG', id: reply.id }));
      return;
    }
    if (reply.kind === 'push') return;
    const message = pending.get(reply.id);
    if (!message) {
      if (lostIds.has(reply.id)) counters.late.add(1);
      else counters.unexpected.add(1);
      return;
    }
    pending.delete(reply.id);
    if (message.k < firstMeasured) return;
    if (reply.kind === 'refusal') {
      counters.rejected.add(1);
      ok.add(false);
      return;
    }
    const intact = preset === 'echo' ? text === message.text : reply.pad === padOf(message.text);
    counters.matched.add(1);
    if (!intact) counters.corrupt.add(1);
    ok.add(intact);
    rtt.add(receivedMs - message.dueMs);
    service.add(receivedMs - message.sentMs);
  }

  // Replies that are overdue. The oldest message comes first in the map.
  function expire() {
    for (const [id, message] of pending) {
      if (message.dueMs + timeoutMs > now()) return;
      lose(id, message);
    }
  }

  /**
   * @param {string} id
   * @param {Message} message
   */
  function lose(id, message) {
    pending.delete(id);
    lostIds.add(id);
    if (message.k < firstMeasured) return;
    counters.lost.add(1);
    ok.add(false);
    // A Trend cannot hold "never": the timeout is the least that it took, and keeps percentiles from flattering.
    rtt.add(timeoutMs);
    service.add(timeoutMs);
  }

  // The connection is gone: what was under way is lost, what was still to come can never be sent.
  function end() {
    if (state === 'connecting') connectOk.add(false);
    if (state === 'done' || state === 'gone') return;
    state = 'gone';
    for (const [id, message] of pending) lose(id, message);
    for (; next < total; next += connections) {
      if (next < firstMeasured) continue;
      counters.scheduled.add(1);
      counters.unsent.add(1);
      ok.add(false);
      rtt.add(timeoutMs);
    }
  }
}

/**
 * The message with this id, filled up to the asked size.
 * @param {string} id
 */
function write(id) {
  if (preset === 'echo') return `wsbench ${id} `.padEnd(sizeBytes, '.');
  const envelope = JSON.stringify({ type: 'ECHO', id, payload: { pad: '' } });
  return JSON.stringify({
    type: 'ECHO',
    id,
    payload: { pad: '.'.repeat(Math.max(0, sizeBytes - envelope.length)) },
  });
}

/** @param {string} text */
function padOf(text) {
  return JSON.parse(text).payload.pad;
}

/**
 * What a message from the server is, and whose reply.
 * @param {string} text
 * @returns {{ kind: 'reply' | 'refusal' | 'ping' | 'push', id: string, pad?: unknown }}
 */
function read(text) {
  if (preset === 'echo') return { kind: 'reply', id: text.split(' ')[1] ?? '' };
  /** @type {{ type?: unknown, id?: unknown, payload?: { pad?: unknown } }} */
  let message;
  try {
    message = JSON.parse(text) ?? {};
  } catch {
    return { kind: 'reply', id: '' };
  }
  const id = typeof message.id === 'string' ? message.id : '';
  if (message.type === 'ECHO') return { kind: 'reply', id, pad: message.payload?.pad };
  if (message.type === 'ERROR') return { kind: 'refusal', id };
  return { kind: message.type === 'PING' ? 'ping' : 'push', id };
}

/**
 * Replaces k6's summary: a table for people, and one line `WSBENCH_SUMMARY {…}` for programs.
 * @param {{ metrics?: Record<string, { values: Record<string, number>, thresholds?: Record<string, { ok: boolean }> }> }} data
 */
export function handleSummary({ metrics }) {
  // The other shape that k6 can give has lost the percentiles asked for above.
  if (!metrics) throw new Error('WSBENCH_SUMMARY needs a run without --new-machine-readable-summary');

  /** @param {string} name */
  const values = (name) => metrics[name]?.values ?? {};
  const counts = Object.fromEntries(
    Object.keys(counters).map((name) => [name, values(`wsb_${name}`).count ?? 0]),
  );
  const opened = {
    opened: values('wsb_connect_ok').passes ?? 0,
    failed: values('wsb_connect_ok').fails ?? 0,
  };
  const thresholds = Object.entries(metrics).flatMap(([name, metric]) =>
    Object.entries(metric.thresholds ?? {}).map(([expression, { ok: met }]) => ({
      metric: name,
      expression,
      ok: met,
    })),
  );
  const summary = {
    v: 1,
    unit: 'ms',
    connections: opened,
    messages: counts,
    rtt: values('wsb_rtt'),
    service: values('wsb_service'),
    sendLag: values('wsb_send_lag'),
    thresholds,
  };
  return { stdout: `${table(summary).join('\n')}\nWSBENCH_SUMMARY ${JSON.stringify(summary)}\n` };
}

/**
 * @param {{ connections: Record<string, number>, messages: Record<string, number>, rtt: Record<string, number>,
 *   service: Record<string, number>, sendLag: Record<string, number>,
 *   thresholds: { metric: string, expression: string, ok: boolean }[] }} summary
 */
function table({ connections: opened, messages, rtt: times, service: served, sendLag: lag, thresholds }) {
  const stats = ['med', 'p(90)', 'p(99)', 'p(99.9)', 'max'];
  /** @param {string[]} cells */
  const row = ([title = '', ...cells]) =>
    `  ${title.padEnd(22)}${cells.map((cell) => cell.padStart(10)).join('')}`;
  /**
   * @param {string} title
   * @param {Record<string, number>} of
   */
  const figures = (title, of) => row([title, ...stats.map((stat) => of[stat]?.toFixed(3) ?? '-')]);
  /** @param {Record<string, number>} of */
  const words = (of) =>
    Object.entries(of)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  const lagging = (lag['p(99)'] ?? 0) > 5;
  return [
    '',
    `  k6 stress results, ${url.replace(/[?#].*/, '')}, ${connections} connections, ${ratePerSecond} messages/s`,
    '',
    row(['ms', 'p50', 'p90', 'p99', 'p99.9', 'max']),
    figures('Round trip, intended', times),
    figures('Round trip, service', served),
    figures('Send lag', lag),
    '',
    `  Messages     ${words(messages)}`,
    `  Connections  ${words(opened)}`,
    ...(lagging
      ? ['  k6 itself fell behind (send lag p99 over 5 ms): the round trips include its delay.']
      : []),
    ...thresholds.map(
      ({ metric, expression, ok: met }) => `  ${met ? 'met   ' : 'MISSED'}  ${metric} ${expression}`,
    ),
    '',
  ];
}

/**
 * A positive number from the environment; `100/s` is 100.
 * @param {string} name
 * @param {string} fallback
 */
function amount(name, fallback) {
  const text = __ENV[name] || fallback;
  const value = Number(text.replace(/\/s$/, ''));
  if (!(value > 0 && Number.isFinite(value))) throw new Error(`${name}: "${text}" is not a positive number`);
  return value;
}

/**
 * A duration from the environment in ms: `250ms`, `10s`, `5m`.
 * @param {string} name
 * @param {string} fallback
 */
function duration(name, fallback) {
  const text = __ENV[name] || fallback;
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? [];
  if (!digits) throw new Error(`${name}: "${text}" is not a duration like 250ms, 10s or 5m`);
  return Number(digits) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000);
}
