// A sample of the table through the real command: exit code, summary, last line.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { emptyFolder, type Finished, run, runConclusive } from './cli/spawn.ts';
import { type Expected, wrongServers } from './fixtures/wrong-servers.ts';

const scenario = new URL('../../test/fixtures/wrong-servers.yml', import.meta.url).pathname;
const sample = [
  'TLS: expired',
  '429 with a date',
  'wrong Sec-WebSocket-Accept',
  'masked frame',
  'closes with 4401',
];

function assertEnds({ code, stdout, stderr }: Finished, { exit, says }: Expected): void {
  const lines = stderr.trim().split('\n');
  const text = `${stdout} ${lines.at(-1)}`.replace(/\s+/g, ' ');
  for (const pattern of says) assert.match(text, pattern);
  // On a machine that was too busy at each attempt, that verdict is right, too, and wins over 99.
  const wanted = exit === 99 && code === 4 ? 4 : exit;
  assert.equal(code, wanted, `${text} ${stderr}`);
  assert.match(lines.at(-1) ?? '', new RegExp(`^exit ${wanted}: .`));
}

describe('wrong servers, by the command', { concurrency: 2 }, () => {
  for (const name of sample) {
    const server = wrongServers.find((candidate) => candidate.name === name);
    test(name, { timeout: 60_000 }, async (t) => {
      assert.ok(server, 'it is in the table');
      const { url, options = {} } = await server.start(t);
      const cwd = emptyFolder(t);
      const common = [url, '--preset', 'echo', '--no-save', '--quiet'];
      if (options.caCertificates !== undefined) {
        writeFileSync(join(cwd, 'ca.pem'), options.caCertificates);
        common.push('--cacert', 'ca.pem');
      }
      assertEnds(await runConclusive(['stress', ...common, '--scenario', scenario], { cwd }), server.stress);
      assertEnds(
        await run(['quick', ...common, '--timeout', '2s', '--connections', '5'], { cwd }),
        server.quick,
      );
    });
  }
});
