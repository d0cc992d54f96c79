// Every export of `wsbench/client` has an example, every example compiles against the published types, and every one runs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createServer, type ReferenceServer } from '../../reference-server/index.ts';

const run = promisify(execFile);
const timeout = 120_000;
const root = fileURLToPath(new URL('../../../', import.meta.url));
const sources = join(root, 'lib/client');
const entry = pathToFileURL(join(root, 'dist/lib/client/index.js')).href;

/** The examples of all exported things, by name. */
const examples = new Map<string, string>();
for (const file of readdirSync(sources)) {
  const text = readFileSync(join(sources, file), 'utf8');
  const blocks = text.matchAll(
    /\/\*\*\n((?: \*.*\n)+?) \*\/\n(?:\/\/.*\n)?export (?:class|interface|type|const|function) (\w+)/g,
  );
  for (const [, comment = '', name = ''] of blocks) {
    const [, example] = comment.split(' * @example\n');
    if (example === undefined) continue;
    examples.set(file === 'browser.ts' ? `${name} in browsers` : name, example.replace(/^ \* ?/gm, ''));
  }
}

const names = [...examples.keys()];
const folder = mkdtempSync(join(tmpdir(), 'wsbench-examples-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What an example stands in: an address that serves, and whatever fetches a token. */
function program(name: string, url: string, token: string): string {
  const example = examples.get(name) ?? '';
  const isBrowser = name.endsWith('in browsers');
  const global = isBrowser
    ? `import { WebSocket } from 'ws';\nObject.assign(globalThis, { WebSocket });\n`
    : '';
  const from = isBrowser ? entry.replace('index.js', 'browser.js') : entry;
  return `${global}const getToken = async (): Promise<string> => '${token}';
void getToken;
${example.replaceAll("'wsbench/client'", `'${fileURLToPath(from)}'`).replaceAll('wss://service.example', url)}`;
}

test('everything that is exported has an example', async () => {
  const text = readFileSync(join(sources, 'exports.ts'), 'utf8');
  const exported = [...text.matchAll(/^export (?:type )?\{([^}]+)\}/gm)].flatMap(([, list = '']) =>
    list.split(',').map((name) => name.replace('type ', '').trim()),
  );
  assert.deepEqual(
    ['createClient', 'createPool', 'createClient in browsers', 'createPool in browsers', ...exported].filter(
      (name) => name !== '' && !examples.has(name),
    ),
    [],
  );
  const values = Object.keys((await import(entry)) as object);
  assert.deepEqual(values.sort(), [
    'ClientError',
    'closePolicies',
    'createClient',
    'createPool',
    'stateTransitions',
  ]);
});

describe('the examples', () => {
  let server: ReferenceServer | undefined;
  after(() => server?.close());
  before(async () => {
    server = await createServer({ limits: 'off', drainTimeoutMs: 1000 });
    await server.listen();
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    for (const name of names) {
      // One agent and one subject an example, so that they do not get into one another's way.
      const token = await server.mint({ sub: name, roles: ['dashboard', 'agent'] });
      writeFileSync(join(folder, `${name}.ts`), program(name, server.url, token));
    }
    const options = [
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--strict',
      '--types',
      'node',
      '--skipLibCheck',
    ];
    const files = names.map((name) => `${name}.ts`);
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [tsc, ...options, ...files], { cwd: folder }).catch(({ stdout }) =>
      assert.fail(stdout),
    );
  });

  for (const name of names) {
    test(`${name}: runs and ends, and says what it shows`, { timeout }, async () => {
      const { stdout } = await run(process.execPath, [join(folder, `${name}.js`)], { timeout: 20_000 });
      // `console.log(…); // …` shows what is printed.
      const shown = [...(examples.get(name) ?? '').matchAll(/console\.log\(.*\); \/\/ (.+)/g)].map(
        ([, text = '']) => text.trim(),
      );
      const lines = stdout.split('\n');
      for (const text of shown)
        if (!/^(whom|that|what)/.test(text)) assert.ok(lines.includes(text), `${text} is not in:\n${stdout}`);
    });
  }
});
