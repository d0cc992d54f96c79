// Tokens under load: in each message, renewed on connections that outlive theirs, and warned of where they cannot be.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type StressOptions, stress as stressTarget } from '../../lib/index.ts';
import { planWarnings } from '../../lib/load/plan-warnings.ts';
import { brokenIdentities } from '../../lib/metrics/counters.ts';
import type { StressResult } from '../../lib/result/result.ts';
import { type Target, targetSchema } from '../../lib/target/target.ts';
import { mintToken } from '../../lib/token.ts';
import { stress, stressPlan } from '../fixtures/stress-plan.ts';
import { startTalkServer } from '../fixtures/talk-server.ts';
import { listening } from '../reference-server/servers.ts';

const secret = 'a secret of this test, 32 bytes or more';

function codesOf({ warnings }: StressResult): string[] {
  return warnings.map(({ code }) => code);
}

/** Renewed at the target's wish or before the end; echoes by id. */
function renewable(refresh: NonNullable<Target['auth']>['refresh']): Target {
  return targetSchema.parse({
    name: 'renewable',
    auth: { in: 'query', refresh },
    request: { id: '{{ id }}', as: '{{ token }}' },
    match: { by: 'id', pointer: '/id' },
  });
}
const refresh = {
  when: { equals: 'renew!' },
  send: { fresh: '{{ token }}' },
  expect: { pointer: '/renewed', equals: true },
  refuse: { pointer: '/error', exists: true as const },
};

interface Seen {
  fresh: string[];
  said: Set<string>;
}

/** A server of {@link renewable}. */
async function startRenewable(
  t: Parameters<typeof startTalkServer>[0],
  answer: string | undefined,
  asksAfterMs?: number,
): Promise<Seen & { url: string }> {
  const seen: Seen = { fresh: [], said: new Set() };
  const url = await startTalkServer(t, (socket, _request, onText) => {
    if (asksAfterMs !== undefined) setTimeout(() => socket.send('renew!'), asksAfterMs);
    onText((text) => {
      const { id, as, fresh } = JSON.parse(text) as Record<string, string>;
      if (fresh !== undefined) {
        seen.fresh.push(fresh);
        if (answer !== undefined) socket.send(answer);
        return;
      }
      seen.said.add(String(as));
      // An error that answers a message of the load is no answer to a renewal, whatever it looks like.
      socket.send(JSON.stringify({ id, error: 'ordinary' }));
    });
  });
  return { ...seen, url };
}

const short = { targetKnown: true, connections: 2, ratePerSecond: 60, durationMs: 1000, warmupMs: 0 };
const inQuery = { tokenPlace: { in: 'query' as const } };

describe('tokens', { concurrency: 4 }, () => {
  test('a token in the message: each connection sends its own', { timeout: 20_000 }, async (t) => {
    const seen = await startRenewable(t, undefined);
    const tokens = ['short', 'a longer one', 'with "quotes"'];
    const target = renewable(refresh);
    const result = await stress(
      stressPlan(seen.url, { ...short, ...inQuery, connections: 3, target, tokens }),
    );
    const { counters } = result;
    assert.equal(counters['messages.matched'], 60);
    assert.deepEqual([...seen.said].sort(), [...tokens].sort());
    const bytes = tokens.map((as) => JSON.stringify({ id: 'xxxxxxxx-000000000000', as }).length);
    assert.equal(counters['bytes.sent'], 20 * bytes.reduce((sum, one) => sum + one, 0));
  });

  test('an echo with a token in it is compared with what that connection sent', {
    timeout: 20_000,
  }, async (t) => {
    const url = await startTalkServer(t, (socket, _request, onText) => onText((text) => socket.send(text)));
    const target = targetSchema.parse({
      name: 'echoing',
      request: '{{ token }} {{ id }} {{ pad }}',
      match: { by: 'marker' },
      echoes: true,
    });
    const changes = { ...short, ...inQuery, target, tokens: ['a', 'bcd'], sizeBytes: 64 };
    const { counters } = await stress(stressPlan(url, changes));
    assert.equal(counters['messages.matched'], 60);
    assert.equal(counters['messages.corrupt'], 0);
    assert.equal(counters['bytes.sent'], 60 * 64);
  });

  test('asked for by the target: the next token of the list is taken, and used from then on', {
    timeout: 20_000,
  }, async (t) => {
    const seen = await startRenewable(t, '{"renewed":true}', 300);
    const target = renewable(refresh);
    const tokens = ['t-1', 't-2', 't-3', 't-4'];
    const result = await stress(stressPlan(seen.url, { ...short, ...inQuery, target, tokens }));
    const { counters } = result;
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.deepEqual(seen.fresh.sort(), ['t-3', 't-4']);
    assert.deepEqual([...seen.said].sort(), tokens);
    assert.equal(counters['messages.matched'], 60);
    // The answers to the renewals are no traffic; that it asked for them is a push.
    assert.equal(counters['messages.push'], 2);
    assert.equal(counters['messages.unexpected'], 0);
    assert.ok(!codesOf(result).includes('token-refresh'));
  });

  // biome-ignore format: a table
  const failing: [string, string | undefined, string[], RegExp][] = [
    ['refused', '{"error":"no"}', ['t-1', 't-2', 't-3'], /^2 of 2 token refreshes failed; the first: refused$/],
    ['not answered', undefined, ['t-1', 't-2', 't-3'], /^2 of 2 .*the first: not answered$/],
    ['impossible', '{"renewed":true}', ['t-1'], /^2 of 2 .*the first: there is no other token that lives longer$/],
  ];
  for (const [name, answer, tokens, message] of failing) {
    test(`a renewal that is ${name} is warned of once, and the load goes on`, {
      timeout: 20_000,
    }, async (t) => {
      const seen = await startRenewable(t, answer, 100);
      const target = renewable(refresh);
      const changes = { ...short, ...inQuery, target, tokens, timeoutMs: 300 };
      const result = await stress(stressPlan(seen.url, changes));
      assert.equal(result.counters['messages.matched'], 60);
      const warnings = result.warnings.filter(({ code }) => code === 'token-refresh');
      assert.equal(warnings.length, 1);
      assert.match(warnings[0]?.message ?? '', message);
    });
  }

  const long: StressOptions = {
    preset: 'wsbench',
    connections: 3,
    ratePerSecond: 60,
    durationMs: 5000,
    warmupMs: 0,
    defaultThresholds: false,
  };

  test('our server, tokens of 3 s, a run of 5 s: with renewals nothing is lost', {
    timeout: 30_000,
  }, async (t) => {
    const server = await listening(t, { secret });
    const result = await stressTarget(`${server.url}/ws`, {
      ...long,
      signingKey: { secret },
      tokenOptions: { expiresInS: 3 },
    });
    const { counters } = result;
    assert.deepEqual(brokenIdentities(counters, result.openAtEnd), []);
    assert.equal(counters['messages.matched'], 300);
    assert.equal(counters['connections.closed'], 0);
    assert.equal(counters['messages.unexpected'], 0);
    assert.equal(result.derived.uptime, 1);
    assert.deepEqual(codesOf(result), []);
    assert.equal(result.plan.options.tokens, 3);
  });

  test('our server, tokens of 3 s, a run of 5 s: from a list, too', { timeout: 30_000 }, async (t) => {
    const server = await listening(t, { secret });
    const mint = (sub: string, expiresInS: number): Promise<string> =>
      mintToken({ secret }, { sub, expiresInS });
    const users = ['a', 'b', 'c'];
    const first = await Promise.all(users.map((sub) => mint(sub, 3)));
    // In another order: a connection must go on as who it is.
    const then = await Promise.all([...users].reverse().map((sub) => mint(sub, 3600)));
    const result = await stressTarget(`${server.url}/ws`, { ...long, tokens: [...first, ...then] });
    assert.equal(result.counters['messages.matched'], 300);
    assert.equal(result.counters['connections.closed'], 0);
    assert.deepEqual(codesOf(result), []);
  });

  test('our server, one token of 3 s and no key: said before, and cut off with 4401', {
    timeout: 30_000,
  }, async (t) => {
    const server = await listening(t, { secret });
    const token = await mintToken({ secret }, { expiresInS: 3 });
    const result = await stressTarget(`${server.url}/ws`, { ...long, tokens: [token] });
    assert.equal(result.closes.find(({ code }) => code === 4401)?.count, 3);
    assert.ok(result.counters['messages.unsent'] > 0);
    const [warning] = result.warnings;
    assert.equal(warning?.code, 'token-expires');
    assert.match(
      warning?.message ?? '',
      /^the token expires [23] s into the run: give --key or --secret .*--tokens-file$/,
    );
  });

  test('minted tokens: one subject a connection, the claims that were asked for, a life longer than the run', {
    timeout: 20_000,
  }, async (t) => {
    const seen: Record<string, unknown>[] = [];
    const url = await startTalkServer(t, (socket, request, onText) => {
      const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
      seen.push(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()));
      onText((text) => socket.send(text));
    });
    const { tokens } = (
      await stressTarget(url, {
        preset: 'echo',
        connections: 4,
        durationMs: 100,
        warmupMs: 0,
        signingKey: { secret },
        tokenOptions: { claims: { plan: 'gold' } },
      })
    ).plan.options;
    assert.equal(tokens, 4);
    assert.deepEqual(seen.map(({ sub }) => sub).sort(), ['stress-1', 'stress-2', 'stress-3', 'stress-4']);
    assert.ok(seen.every(({ plan }) => plan === 'gold'));
    assert.ok(seen.every(({ exp }) => Number(exp) > Date.now() / 1000 + 3500));
  });

  test('claims without a key, and a key for a server that has its own, are refused', async () => {
    await assert.rejects(stressTarget('ws://127.0.0.1:1', { tokenOptions: { claims: {} } }), {
      code: 'USAGE',
      message: /give a secret or key/,
    });
    await assert.rejects(stressTarget(undefined, { signingKey: { secret } }), {
      code: 'USAGE',
      message: /embedded server signs its own/,
    });
  });
});

const nowMs = 1_800_000_000_000;
const expiring = (inS: number): string =>
  `e30.${Buffer.from(JSON.stringify({ exp: nowMs / 1000 + inS })).toString('base64url')}.x`;
const plain = targetSchema.parse({ name: 'plain', request: 'hi {{ id }}', match: { by: 'order' } });
const limited = { ...plain, limits: { messages: 10, connections: 3, size: 20 } };
const withRenewal = renewable(refresh);

// biome-ignore format: a table
const warned: [string, Parameters<typeof stressPlan>[1], RegExp[]][] = [
  ['nothing to say', { target: plain, tokens: ['opaque'] }, []],
  ['a token that outlives the run', { target: plain, tokens: [expiring(3)], durationMs: 2000 }, []],
  ['a token that does not', { target: withRenewal, tokens: [expiring(12)], durationMs: 60_000 },
    [/^the token expires 12 s into the run: give --key or --secret to mint fresh ones, or --tokens-file$/]],
  ['one of many that does not', { target: withRenewal, tokens: ['x', expiring(12)], durationMs: 60_000 }, []],
  ['one that can be minted anew', { target: withRenewal, tokens: [expiring(12)], mint: async () => 'x', durationMs: 60_000 }, []],
  ['one that the target takes no other for', { target: plain, tokens: [expiring(12)], mint: async () => 'x', durationMs: 60_000 },
    [/^the token expires 12 s into the run: the target file does not say .*auth\.refresh/]],
  ['one that nobody uses', { target: plain, tokens: ['x', expiring(12)], connections: 1, durationMs: 60_000 }, []],
  ['one that expired', { target: plain, tokens: [expiring(-90)] }, [/^the token expired 1 m 30 s ago$/]],
  ['a token that is missing', { target: withRenewal }, [/^the message holds \{\{ token \}\}, and there is none/]],
  ['a token that is missing in a message of one’s own', { message: '{{ token }} {{ id }}' }, [/holds \{\{ token \}\}/]],
  ['limits that are kept', { target: limited, connections: 3, ratePerSecond: 30, sizeBytes: 0 }, []],
  ['limits that are not', { target: limited, connections: 5, ratePerSecond: 500, message: 'x'.repeat(21) },
    [/^the target "plain" says that it allows less than is asked: 100\/s on each connection, where it allows 10\/s; 5 connections, where it allows 3; messages of 21 bytes, where it allows 20$/]],
  ['a rate that nobody asks for', { target: limited, model: 'closed', connections: 1, ratePerSecond: 500 }, []],
];
for (const [name, changes, messages] of warned) {
  test(`before the run: ${name}`, () => {
    const plan = stressPlan('ws://127.0.0.1', changes);
    const bytes = typeof plan.message === 'string' ? plan.message.length : 20;
    const warnings = planWarnings(plan, bytes, nowMs);
    assert.equal(warnings.length, messages.length, JSON.stringify(warnings));
    warnings.forEach((warning, at) => {
      assert.match(warning.message, messages[at] as RegExp);
    });
  });
}
