// Every check fails on a server with its fault, and on no other: the proof that the checks check something.
import assert from 'node:assert/strict';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { allChecks } from '../../lib/checks/index.ts';
import type { createServer as CreateServer } from '../../reference-server/index.ts';
import { type Mutant, mutants } from './mutants.ts';
import { planFor, preset, quick, verdicts } from './quick-plan.ts';

const dist = fileURLToPath(new URL('../../', import.meta.url));
const folder = `${dist}mutants`;

/** The compiled server, and what it stands on. */
const scripts = (
  await Promise.all(
    ['lib', 'reference-server'].map(async (room) =>
      (await readdir(`${dist}${room}`, { recursive: true })).map((path) => `${room}/${path}`),
    ),
  )
)
  .flat()
  .filter((path) => path.endsWith('.js'));

/** Makes a second server out of the compiled one, with one replacement if asked to, and imports it. */
async function importServer(
  id: string,
  mutation?: Pick<Mutant, 'file' | 'find' | 'replace'>,
): Promise<{ createServer: typeof CreateServer }> {
  const target = `${folder}/${id}`;
  for (const path of new Set(scripts.map(dirname))) await mkdir(`${target}/${path}`, { recursive: true });
  // Linked, not copied: a module is another one by its path, and the files are many.
  await Promise.all(
    scripts
      .filter((path) => path !== mutation?.file)
      .map((path) => link(`${dist}${path}`, `${target}/${path}`)),
  );
  if (mutation) {
    const parts = (await readFile(`${dist}${mutation.file}`, 'utf8')).split(mutation.find);
    assert.equal(parts.length, 2, `"${mutation.find}" occurs ${parts.length - 1} times in ${mutation.file}`);
    await writeFile(`${target}/${mutation.file}`, parts.join(mutation.replace));
  }
  return import(new URL(`../../mutants/${id}/reference-server/index.js`, import.meta.url).href);
}

const allIds = allChecks.map(({ id }) => id);

/** Checks that wait for seconds: together they take as long as all others four times over. */
const slow = new Set(['server-ping', 'auth-refresh']);

/**
 * The checks that run against a mutant: all of them against the first of each check, so that every kind of fault is shown to
 * fail no other; the slow ones are left out for the rest, unless the fault is theirs.
 */
function checksFor({ check }: Mutant, isFirst: boolean): string[] {
  const concerned = dependantsOf(check).add(check);
  return allIds.filter((id) => isFirst || !slow.has(id) || concerned.has(id));
}

/** Runs checks against a server of this module. */
async function verdictsOn(
  { createServer }: { createServer: typeof CreateServer },
  checks: readonly string[] = allIds,
): Promise<Record<string, string>> {
  const server = await createServer({ environment: 'test', limits: 'test', drainTimeoutMs: 200 });
  try {
    const url = `${await server.listen()}/ws`;
    const plan = planFor(url, {
      target: preset('wsbench'),
      embedded: true,
      mint: (options) => server.mint(options),
      timeoutMs: 2000,
      checks,
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
  assert.deepEqual([...proven].sort(), allIds.toSorted());
});

test('a route that is declared twice keeps the server from starting', { timeout: 30_000 }, async () => {
  const { createServer } = await importServer('duplicate-route', {
    file: 'reference-server/plugins/websocket.js',
    find: "typed('/ws');",
    replace: "typed('/ws'); typed('/ws');",
  });
  await assert.rejects(async () => createServer(), /already declared|FST_ERR_DUPLICATED_ROUTE/i);
});

describe('mutants', { concurrency: 14 }, () => {
  test('none: the server as it is passes every check', { timeout: 60_000 }, async () => {
    const seen = await verdictsOn(await importServer('none'));
    assert.deepEqual(seen, Object.fromEntries(allIds.map((id) => [id, 'passed'])));
  });

  for (const [index, mutant] of mutants.entries()) {
    test(`${mutant.check}: ${mutant.name}`, { timeout: 90_000 }, async () => {
      const isFirst = mutants.findIndex(({ check }) => check === mutant.check) === index;
      const checks = checksFor(mutant, isFirst);
      const seen = await verdictsOn(await importServer(String(index), mutant), checks);
      const dependants = dependantsOf(mutant.check);
      for (const id of checks) {
        const verdict = seen[id] ?? 'missing';
        if (id === mutant.check) assert.match(verdict, /^failed/, `${id} did not notice`);
        else assert.equal(verdict, dependants.has(id) ? 'skipped' : 'passed', id);
      }
    });
  }
});
