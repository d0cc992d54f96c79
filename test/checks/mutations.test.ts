// Every check fails on a server with its fault, and on no other: the proof that the checks check something.
import assert from 'node:assert/strict';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { allChecks } from '../../lib/checks/index.ts';
import type { createServer as CreateServer } from '../../reference-server/index.ts';
import { type Mutant, mutants } from './mutants.ts';
import { planFor, preset, quick, verdicts } from './quick-plan.ts';

const dist = fileURLToPath(new URL('../../', import.meta.url));
const folder = `${dist}mutants`;

/** Copies the compiled server, makes one replacement if asked to, and imports the copy. */
async function importServer(
  id: string,
  mutation?: Pick<Mutant, 'file' | 'find' | 'replace'>,
): Promise<{ createServer: typeof CreateServer }> {
  const target = `${folder}/${id}`;
  const isScript = (path: string): boolean => !/\.[a-z]+$/.test(path) || path.endsWith('.js');
  for (const room of ['lib', 'reference-server']) {
    await cp(`${dist}${room}`, `${target}/${room}`, { recursive: true, filter: isScript });
  }
  if (mutation) {
    const file = `${target}/${mutation.file}`;
    const parts = (await readFile(file, 'utf8')).split(mutation.find);
    assert.equal(parts.length, 2, `"${mutation.find}" occurs ${parts.length - 1} times in ${mutation.file}`);
    await writeFile(file, parts.join(mutation.replace));
  }
  return import(new URL(`../../mutants/${id}/reference-server/index.js`, import.meta.url).href);
}

/** Runs all checks against a server of this module. */
async function verdictsOn({
  createServer,
}: {
  createServer: typeof CreateServer;
}): Promise<Record<string, string>> {
  const server = await createServer({ environment: 'test', limits: 'test', drainTimeoutMs: 200 });
  try {
    const url = `${await server.listen()}/ws`;
    const plan = planFor(url, {
      target: preset('wsbench'),
      embedded: true,
      mint: (options) => server.mint(options),
      timeoutMs: 2000,
    });
    return verdicts((await quick(plan)).result);
  } finally {
    await server.close();
  }
}

/** The checks that depend on this one, directly or not. */
function dependantsOf(id: string): Set<string> {
  const found = new Set([id]);
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const check of allChecks) if (check.dependsOn.some((other) => found.has(other))) found.add(check.id);
  }
  found.delete(id);
  return found;
}

before(() => rm(folder, { recursive: true, force: true }));
after(() => rm(folder, { recursive: true, force: true }));

test('every check is in the table of mutants', () => {
  const proven = new Set(mutants.map(({ check }) => check));
  assert.deepEqual([...proven].sort(), allChecks.map(({ id }) => id).sort());
});

test('the server as it is passes every check, in time', { timeout: 20_000 }, async () => {
  const seen = await verdictsOn(await importServer('none'));
  assert.deepEqual(seen, Object.fromEntries(allChecks.map(({ id }) => [id, 'passed'])));
});

test('a route that is declared twice keeps the server from starting', { timeout: 30_000 }, async () => {
  const { createServer } = await importServer('duplicate-route', {
    file: 'reference-server/plugins/websocket.js',
    find: "typed('/ws');",
    replace: "typed('/ws'); typed('/ws');",
  });
  await assert.rejects(async () => createServer(), /already declared|FST_ERR_DUPLICATED_ROUTE/i);
});

describe('mutants', { concurrency: 10 }, () => {
  for (const [index, mutant] of mutants.entries()) {
    test(`${mutant.check}: ${mutant.name}`, { timeout: 90_000 }, async () => {
      const seen = await verdictsOn(await importServer(String(index), mutant));
      const dependants = dependantsOf(mutant.check);
      for (const { id } of allChecks) {
        const verdict = seen[id] ?? 'missing';
        if (id === mutant.check) assert.match(verdict, /^failed/, `${id} did not notice`);
        else assert.equal(verdict, dependants.has(id) ? 'skipped' : 'passed', id);
      }
    });
  }
});
