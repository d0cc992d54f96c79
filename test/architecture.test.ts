// Who may import whom: the table of ARCHITECTURE.md, held against the sources.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

const onWire = [
  'lib/transport',
  'lib/protocol',
  'lib/cause',
  'lib/metrics',
  'lib/result',
  'lib/target',
  'lib/scenario',
];

// Rooms and the rooms that each may import, beside itself and the modules that everyone may use.
const table: Record<string, readonly string[]> = {
  'lib/cause': [],
  'lib/client': [],
  'lib/protocol': [],
  'lib/transport': ['lib/protocol', 'lib/cause'],
  'lib/metrics': [],
  'lib/result': ['lib/metrics'],
  'lib/compare': ['lib/metrics', 'lib/result'],
  'lib/yaml': ['lib/result'],
  'lib/token': [],
  'lib/target': ['lib/result'],
  'lib/scenario': ['lib/result'],
  'lib/machine': [],
  'lib/doctor': ['lib/load', 'lib/machine', ...onWire],
  'lib/load': ['lib/machine', ...onWire],
  'lib/checks': onWire,
  'lib/conform': onWire,
  reports: ['lib/result', 'lib/metrics', 'lib/compare', 'lib/doctor', 'lib/cause'],
  'reference-server': [],
};
const everyone = [
  'lib/errors.ts',
  'lib/duration.ts',
  'lib/token.ts',
  'lib/yaml.ts',
  'lib/version.ts',
  'lib/quantities.ts',
  'lib/file-words.ts',
  'lib/nearest.ts',
];

// Packages that only some files may use.
const packages: Record<string, readonly string[]> = {
  ioredis: ['reference-server/bus/'],
  jose: ['lib/token.ts', 'lib/token/'],
  ws: [
    'lib/client/node-transport.ts',
    'lib/load/drivers/ws.ts',
    'lib/checks/connection.ts',
    'lib/checks/open-connection.ts',
    'reference-server/',
  ],
  commander: ['cli/'],
  fastify: ['reference-server/'],
  'fastify-plugin': ['reference-server/'],
  '@fastify/websocket': ['reference-server/'],
  'hdr-histogram-js': ['lib/metrics/'],
  uplot: ['reports/html/'],
  'cli-table3': ['reports/', 'cli/'],
  yaml: ['lib/yaml.ts', 'lib/yaml/', 'lib/scenario/'],
};

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${folder}/${file.split(sep).join('/')}`);
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
}

function roomOf(file: string): string | undefined {
  return Object.keys(table).find((room) => file.startsWith(`${room}/`));
}

const files = ['cli', 'lib', 'reference-server', 'reports'].flatMap(sources);

test('rooms import only what the table allows', () => {
  const wrong: string[] = [];
  for (const file of files) {
    for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
      const target = relative(root, normalize(join(root, dirname(file), specifier)))
        .split(sep)
        .join('/');
      if (target.startsWith('cli/') && !file.startsWith('cli/')) wrong.push(`${file} imports ${target}`);
      const room = roomOf(file);
      if (room === undefined || target.startsWith(`${room}/`) || everyone.includes(target)) continue;
      const targetRoom = roomOf(target);
      if (targetRoom === undefined || !table[room]?.includes(targetRoom))
        wrong.push(`${file} imports ${target}`);
    }
  }
  assert.deepEqual(wrong, []);
});

test('the client stands alone: ws in Node, and nothing of ours', () => {
  const outside = sources('lib/client').flatMap((file) =>
    importsOf(file)
      // The examples in comments import it as users do.
      .filter((name) => !name.startsWith('./') && name !== 'wsbench/client')
      .map((name) => `${file} imports ${name}`),
  );
  assert.deepEqual(outside, ['lib/client/node-transport.ts imports ws']);
});

test('packages are used only where they belong', () => {
  const wrong: string[] = [];
  for (const file of files) {
    for (const name of importsOf(file)) {
      const allowed = packages[name];
      if (
        allowed &&
        !allowed.some((place) => file === place || (place.endsWith('/') && file.startsWith(place)))
      ) {
        wrong.push(`${file} imports ${name}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test('only cli/main.ts and the children touch the process', () => {
  const allowed = ['cli/main.ts', 'reference-server/child.ts', 'lib/doctor/echo-child.ts'];
  const wrong = files.filter((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return (
      !allowed.includes(file) && /\bprocess\.(exit|on|once|argv|exitCode|stdout|stderr|env)\b/.test(text)
    );
  });
  assert.deepEqual(wrong, []);
});

test('every test file is where the test command looks', () => {
  const tests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.test.ts'),
  );
  const tooDeep = tests.filter((file) => file.split(sep).length > 2);
  assert.deepEqual(tooDeep, []);
});
