// Files that cannot be read, or are no text: one clear line each.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { loadTarget } from '../../lib/target/load.ts';
import { checkYaml, readYamlText } from '../../lib/yaml.ts';
import { emptyFolder } from '../cli/spawn.ts';

// biome-ignore format: a table
const contents: [what: string, content: string | Uint8Array, message: RegExp][] = [
  ['too large', Buffer.alloc(1024 * 1024 + 1, '#'), /^my\.yml: larger than 1 MiB/],
  ['UTF-16', Buffer.from('\ufeffname: x', 'utf16le'), /^my\.yml:1:1 this is UTF-16; save it as UTF-8$/],
  ['Latin-1', Buffer.from('name: x\ntitle: caf\xe9\n', 'latin1'), /^my\.yml:2:11 not UTF-8 text$/],
  ['binary', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0xc0), /^my\.yml:1:5 not UTF-8 text$/],
  ['empty', '', /^my\.yml:1:1 document: the file is empty$/],
];
for (const [what, content, message] of contents) {
  test(`read: ${what}`, (t) => {
    const path = join(emptyFolder(t), 'my.yml');
    writeFileSync(path, content);
    assert.throws(() => loadTarget(path, 'my.yml'), { code: 'CONFIG', message });
  });
}

test('read: exactly 1 MiB is not too large', (t) => {
  const path = join(emptyFolder(t), 'my.yml');
  writeFileSync(path, Buffer.alloc(1024 * 1024, '#'));
  assert.equal(readYamlText(path, 'my.yml', 'target').length, 1024 * 1024);
});

test('read: what is no file is said to be none, by the name that was given', (t) => {
  const folder = emptyFolder(t);
  mkdirSync(join(folder, 'dir'));
  for (const [name, message] of [
    ['dir', 'cannot read target dir: it is a folder'],
    ['nowhere', 'cannot read target nowhere: no such file or folder'],
  ] as const) {
    assert.throws(() => loadTarget(join(folder, name), name), { code: 'USAGE', message });
  }
});

test('read: an endless file is not read to its end', { timeout: 10_000 }, () => {
  assert.throws(() => loadTarget('/dev/zero'), {
    code: 'CONFIG',
    message: /^\/dev\/zero: larger than 1 MiB/,
  });
});

test('read: a pipe is read to its end', { timeout: 10_000 }, (t) => {
  const pipe = join(emptyFolder(t), 'pipe');
  execFileSync(
    'sh',
    ['-c', 'mkfifo "$0" && (printf "a: 1\\n"; sleep 0.2; printf "b: 2\\n") > "$0" &', pipe],
    { stdio: 'ignore' },
  );
  while (true) {
    try {
      assert.equal(readYamlText(pipe, 'pipe', 'target'), 'a: 1\nb: 2\n');
      return;
    } catch (error) {
      if (!/no such file/.test(String(error))) throw error;
    }
  }
});

// biome-ignore format: a table
const bombs: [what: string, text: string][] = [
  ['lists in lists', '['.repeat(400_000)],
  ['mappings in mappings', '{a: '.repeat(200_000)],
  ['blocks in blocks', Array.from({ length: 1200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  ['dashes', '- '.repeat(300_000)],
  ['aliases', `a: &a [${'x,'.repeat(1000)}]\nb: [${'*a,'.repeat(50_000)}]`],
  ['keys', Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join('\n')],
  ['placeholders', `request: "${'{{ x '.repeat(150_000)}"`],
  ['one long line', `name: ${'a'.repeat(1_000_000)}`],
];
for (const [what, text] of bombs) {
  test(`read: ${what} are refused in seconds`, { timeout: 30_000 }, () => {
    const started = Date.now();
    const { issues } = checkYaml(text, z.strictObject({ name: z.number() }));
    assert.ok(issues.length > 0);
    assert.ok(issues.every(({ excerpt, message }) => excerpt.length < 500 && message.length < 500));
    assert.ok(Date.now() - started < 15_000, `${Date.now() - started} ms`);
  });
}
