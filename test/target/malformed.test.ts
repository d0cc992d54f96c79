// Target files with a mistake: right place, right words, and nothing is sent.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { quick, stress, WsbenchError } from '../../lib/index.ts';
import { targetSchema } from '../../lib/target/target.ts';
import { checkYaml, parseYaml } from '../../lib/yaml.ts';
import { emptyFolder, run } from '../cli/spawn.ts';
import { type Malformed, malformedTargets } from '../fixtures/malformed-targets.ts';

/** A server that counts who connects. */
async function listen(t: TestContext): Promise<{ url: string; connections: () => number }> {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { url: `ws://127.0.0.1:${address.port}/`, connections: () => connections };
}

function expected({ line, column, message }: Malformed, file: string): RegExp {
  return new RegExp(`^${file}:${line}:${column} .*${message.source}`, message.flags);
}

test('malformed targets: there are enough of them', () => {
  assert.ok(malformedTargets.length >= 60, String(malformedTargets.length));
  assert.equal(new Set(malformedTargets.map(({ what }) => what)).size, malformedTargets.length);
});

for (const malformed of malformedTargets) {
  test(`malformed target: ${malformed.what}`, () => {
    assert.throws(
      () => parseYaml(malformed.text, targetSchema, 'x.yml'),
      (error: unknown) => {
        assert.ok(error instanceof WsbenchError);
        assert.equal(error.code, 'CONFIG');
        assert.match(error.message, expected(malformed, 'x\\.yml'));
        assert.doesNotMatch(error.message, /\n|Invalid/);
        const [shown = '', caret = ''] = error.excerpt?.split('\n') ?? [];
        assert.match(shown, new RegExp(`^ *${malformed.line} \\| `));
        assert.match(caret, /^ +\| +\^$/);
        return true;
      },
    );
    // Each row has one mistake: nothing follows from it that is none.
    assert.equal(checkYaml(malformed.text, targetSchema).issues.length, 1);
  });
}

test('malformed targets: neither quick nor stress connects anywhere', { timeout: 60_000 }, async (t) => {
  const server = await listen(t);
  const folder = emptyFolder(t);
  for (const [index, malformed] of malformedTargets.entries()) {
    const targetFile = join(folder, `${index}.target.yml`);
    writeFileSync(targetFile, malformed.text);
    const options = { targetFile, targetName: 'given.yml' };
    for (const runner of [quick, stress]) {
      await assert.rejects(
        runner(server.url, options),
        (error: unknown) =>
          error instanceof WsbenchError && expected(malformed, 'given\\.yml').test(error.message),
        `${runner.name}: ${malformed.what}`,
      );
    }
  }
  assert.equal(server.connections(), 0);
});

test('malformed targets: the command shows the place and exits 2', { timeout: 120_000 }, async (t) => {
  const server = await listen(t);
  const cwd = emptyFolder(t);
  const sample = malformedTargets.filter((_, index) => index % 12 === 0);
  for (const [index, malformed] of sample.entries()) {
    writeFileSync(join(cwd, 'my.target.yml'), malformed.text);
    const command = index % 2 === 0 ? 'quick' : 'stress';
    const { code, stdout, stderr } = await run([command, server.url, '--target', 'my.target.yml'], { cwd });
    const [first = '', shown = '', caret = '', ...others] = stderr.split('\n');
    assert.match(first.replace(/^wsbench: /, ''), expected(malformed, 'my\\.target\\.yml'), malformed.what);
    assert.match(shown, / \| /);
    assert.match(caret, /\| +\^$/);
    assert.deepEqual([code, stdout, others], [2, '', ['']], malformed.what);
  }
  assert.equal(server.connections(), 0);
});
