// docs/operations.md shows the files that are tested, and every metric there is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReferenceServer } from '../../reference-server/index.ts';
import { Client } from '../reference-server/client.ts';
import { eventually } from '../reference-server/redis-buses.ts';
import { skipRedis, startRedis } from '../reference-server/redis-server.ts';
import { listening } from '../reference-server/servers.ts';
import { blocksOf, operations } from './operations-doc.ts';
import { exampleOf } from './proxies.ts';

/** Types and labels of metrics, by name. */
type Metrics = Map<string, { type: string; labels: Set<string> }>;

function metricsOfDoc(): Metrics {
  const section = operations.slice(operations.indexOf('\n## Metrics'), operations.indexOf('\n## Alerts'));
  const rows = [...section.matchAll(/^\| `(\w+)(?:\{([\w, ]+)\})?` \| (\w+) \|/gm)];
  return new Map(
    rows.map(([, name = '', labels, type = '']) => [
      name,
      { type, labels: new Set(labels?.split(', ') ?? []) },
    ]),
  );
}

async function scrape(server: ReferenceServer): Promise<Metrics> {
  const text = await (await fetch(`${server.httpUrl}/metrics`)).text();
  const found: Metrics = new Map();
  for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm))
    found.set(name, { type, labels: new Set() });
  for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)\{(.*)\} /gm)) {
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) found.get(name)?.labels.add(label);
  }
  return found;
}

test('docs/operations.md shows the files of examples/', () => {
  assert.equal(blocksOf('nginx')[0], exampleOf('nginx'));
  assert.equal(blocksOf('haproxy')[0], exampleOf('haproxy'));
});

test('docs/operations.md has every metric of a server with Redis, with its type and labels, and no other', {
  timeout: 30_000,
  skip: skipRedis,
}, async (t) => {
  const redis = await startRedis(t);
  const server = await listening(t, { redis: { url: redis.url } });
  const client = await Client.open(`${server.url}/ws`);
  await client.request('PING');
  await client.close();
  // A label shows once something has happened.
  await Client.open(`${server.url}/ws/agent`).catch(() => {});
  await eventually(() => server.app.metrics.text().includes('wsbench_closes_total{'), 'the close');
  assert.deepEqual(
    [...(await scrape(server))].sort(),
    [...metricsOfDoc()].sort(),
    'docs/operations.md, Metrics: a row for each',
  );
});

test('docs/operations.md: metrics of alerts exist, and have the labels that are asked for', () => {
  const documented = metricsOfDoc();
  const alerts = operations.slice(operations.indexOf('\n## Alerts'), operations.indexOf('\n## Logs'));
  const used = [...alerts.matchAll(/\b((?:wsbench|process)_\w+)(?:\{(\w+)=)?/g)];
  assert.ok(used.length > 10, String(used.length));
  for (const [, name = '', label] of used) {
    const metric = documented.get(name);
    assert.ok(metric, `${name} is no metric`);
    assert.ok(label === undefined || metric.labels.has(label), `${name} has no label ${label}`);
  }
});
