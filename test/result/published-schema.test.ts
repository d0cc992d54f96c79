// The published JSON Schema of results: it and our own reading say the same of every document, good or broken.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { conform, quick, type Result, type StressOptions, stress } from '../../lib/index.ts';
import { jsonSchemas } from '../../lib/json-schema.ts';
import { resultSchema } from '../../lib/result/schema.ts';
import { fileReport, json } from '../../reports/index.ts';
import { everyResult } from '../fixtures/every-result.ts';
import { startLoadServer } from '../fixtures/server-process.ts';

const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
const valid = ajv.compile(jsonSchemas()['result.schema.json']);
const text = (result: Result): string => json([result], fileReport);

function assertFits(document: unknown, what: string): void {
  assert.ok(valid(document), `${what}: ${ajv.errorsText(valid.errors?.slice(0, 3))}`);
  assert.ok(resultSchema.safeParse(document).success, what);
}

for (const [name, result] of Object.entries(everyResult())) {
  test(`published schema: ${name} fits`, () => assertFits(JSON.parse(text(result)), name));
}

// Never written anew: what was saved once fits what is published now.
const saved = new URL('../../../test/golden/saved-by-0.1.0/', import.meta.url);
for (const file of readdirSync(saved)) {
  test(`published schema: ${file} as 0.1.0 saved it fits`, () =>
    assertFits(JSON.parse(readFileSync(new URL(file, saved), 'utf8')), file));
}

type Path = readonly (string | number)[];

/** The places of a document, from the root. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (value === null || typeof value !== 'object') return [path];
  const inner = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...inner.flatMap(([key, one]) => pathsOf(one, [...path, key]))];
}

/** A copy in which the value at a place is another, or gone. */
function changed(document: unknown, path: Path, change: { to: unknown } | 'gone'): unknown {
  if (path.length === 0) return change === 'gone' ? null : change.to;
  const copy: unknown = structuredClone(document);
  let at = copy as Record<string | number, unknown>;
  for (const key of path.slice(0, -1)) at = at[key] as Record<string | number, unknown>;
  const last = path.at(-1) ?? '';
  if (change === 'gone') {
    if (Array.isArray(at)) at.splice(Number(last), 1);
    else delete at[last];
  } else at[last] = change.to;
  return copy;
}

const documents = Object.values(everyResult()).map((result): unknown => JSON.parse(text(result)));
const places = documents.map((document) => pathsOf(document));
const values = fc.oneof(
  fc.constantFrom(
    null,
    true,
    false,
    '',
    'passed',
    'OK',
    'quick',
    'stress',
    'ms',
    'lost',
    [],
    {},
    [null],
    [{}],
  ),
  fc.constantFrom(0, -0, 1, -1, 0.5, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), 1e300, 5e-324, Number.MAX_VALUE),
  fc.jsonValue({ maxDepth: 2 }),
);

test('published schema: it and zod agree on documents that are broken somewhere', {
  timeout: 120_000,
}, () => {
  let [accepted, refused] = [0, 0];
  const mutation = fc.nat(documents.length - 1).chain((index) =>
    fc.record({
      document: fc.constant(documents[index]),
      path: fc.constantFrom(...(places[index] ?? [[]])),
      change: fc.oneof(
        { weight: 1, arbitrary: fc.constant('gone' as const) },
        { weight: 3, arbitrary: fc.record({ to: values }) },
      ),
    }),
  );
  fc.assert(
    fc.property(mutation, ({ document, path, change }) => {
      const broken = JSON.parse(JSON.stringify(changed(document, path, change)));
      const ours = resultSchema.safeParse(broken).success;
      assert.equal(valid(broken), ours, `${path.join('.')} ${JSON.stringify(change)}`);
      if (ours) accepted++;
      else refused++;
    }),
    { numRuns: 3000 },
  );
  // Neither is a test that nothing can fail.
  assert.ok(accepted > 100 && refused > 500, `${accepted} accepted, ${refused} refused`);
});

test('published schema: each field that has to be there is asked for', () => {
  for (const [index, document] of documents.entries()) {
    for (const path of places[index] ?? []) {
      const without = changed(document, path, 'gone');
      assert.equal(valid(without), resultSchema.safeParse(without).success, path.join('.'));
    }
  }
});

const short = {
  connections: 4,
  ratePerSecond: 100,
  durationMs: 1200,

  warmupMs: 100,
  timeoutMs: 400,
};
const loads: Record<string, StressOptions> = {
  'one worker, native driver': { ...short, driver: 'native' },
  'one worker, ws driver': { ...short, driver: 'ws' },
  'two workers, native driver': { ...short, workers: 2 },
  'two workers, ws driver': { ...short, workers: 2, driver: 'ws' },
  'slow consumers and churn': { ...short, slowConsumers: 0.25, churnPerSecond: 2 },
  'closed model': { connections: 2, model: 'closed', durationMs: 500, warmupMs: 0 },
};

for (const [what, options] of Object.entries(loads)) {
  test(`published schema: a real run of stress fits, ${what}`, { timeout: 60_000 }, async (t) => {
    const { url } = await startLoadServer(t, { mode: 'skip', n: 9 });
    const result = await stress(url, { preset: 'echo', ...options });
    assertFits(JSON.parse(text(result)), what);
    assert.ok(result.series.due.length > 0);
  });
}

for (const workers of [1, 2]) {
  test(`published schema: an interrupted run fits, ${workers} workers`, { timeout: 60_000 }, async (t) => {
    const { url } = await startLoadServer(t, { mode: 'echo' });
    const stop = new AbortController();
    setTimeout(() => stop.abort('SIGINT'), 900);
    const long = { ...short, preset: 'echo', durationMs: 60_000, workers };
    const result = await stress(url, long, { signal: stop.signal });
    assert.equal(result.run.complete, false);
    assertFits(JSON.parse(text(result)), 'interrupted');
  });
}

test('published schema: runs that reach nobody fit', { timeout: 60_000 }, async () => {
  const url = 'ws://127.0.0.1:1';
  const results = [
    await stress(url, { ...short, preset: 'echo' }),
    await stress(url, { ...short, preset: 'echo', workers: 2 }),
    await quick(url),
    await conform(url, { cases: ['1.1.1', '7.1.1'] }),
  ];
  for (const result of results) {
    assert.ok(
      result.reasons.some(({ code }) => code === 'unreachable'),
      result.kind,
    );
    assertFits(JSON.parse(text(result)), result.kind);
  }
});

test('published schema: real runs of quick and conform fit', { timeout: 90_000 }, async (t) => {
  const { url } = await startLoadServer(t, { mode: 'echo' });
  const checked = await quick(url, { preset: 'echo' });
  assertFits(JSON.parse(text(checked)), 'quick');
  const repeated = await conform(url, { cases: ['1.1.*', '4.1.*', '6.4.*', '7.7.*'], repeat: 2 });
  assert.ok((repeated.agents[0]?.verdicts.length ?? 0) > 20);
  assertFits(JSON.parse(text(repeated)), 'conform');
});
