// wsbench validate: files are checked, nothing else happens.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyFolder, run } from './spawn.ts';

const good = 'name: good\nrequest: "{{ id }}"\nmatch: { by: marker }\n';

test('validate: what is valid is said to be, by kind', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  writeFileSync(join(cwd, 'a.yml'), good);
  const { stdout: printed } = await run(['stress', '--print'], { cwd });
  writeFileSync(join(cwd, 'b.yml'), printed);
  const { code, stdout, stderr } = await run(['validate', 'a.yml', 'b.yml'], { cwd });
  assert.equal(stdout, 'a.yml: valid target "good"\nb.yml: valid scenario "stress"\n');
  assert.deepEqual([code, stderr], [0, '']);
});

test('validate: every mistake is shown with its place', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  writeFileSync(join(cwd, 'good.yml'), good);
  writeFileSync(join(cwd, 'bad.yml'), `${good}titel: x\nspeaks: ehco\n`);
  writeFileSync(join(cwd, 'load.yml'), 'kind: stres\nthresholds: [rtt.p99<20]\n');
  const { code, stdout, stderr } = await run(['validate', 'bad.yml', 'good.yml', 'load.yml'], { cwd });
  assert.equal(
    stdout,
    `bad.yml:4:1 titel: unknown key "titel"; did you mean "title"?
   4 | titel: x
     | ^
bad.yml:5:9 speaks: "ehco" is none of echo, wsbench, other; did you mean "echo"?
   5 | speaks: ehco
     |         ^
good.yml: valid target "good"
load.yml:1:7 kind: "stres" is none of stress, quick; did you mean "stress"?
   1 | kind: stres
     |       ^
`,
  );
  assert.deepEqual([code, stderr], [2, 'exit 2: 3 mistakes in 2 of 3 files\n']);
  const json = await run(['validate', 'bad.yml', '--json'], { cwd });
  assert.equal(json.code, 2);
  const [{ file, kind, name, issues }] = JSON.parse(json.stdout);
  assert.deepEqual([file, kind, name, issues.length], ['bad.yml', 'target', 'good', 2]);
});

test('validate: braces without quotes are told once, and by nobody else', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  writeFileSync(join(cwd, 'bare.yml'), 'name: x\nrequest: { id: {{ id }} }\nmatch: { by: order }\n');
  const { code, stdout, stderr } = await run(['validate', 'bare.yml'], { cwd });
  assert.equal(
    stdout,
    `bare.yml:2:16 a placeholder needs quotes around it, or YAML takes it for a mapping: "{{ id }}"
   2 | request: { id: {{ id }} }
     |                ^
`,
  );
  assert.deepEqual([code, stderr], [2, 'exit 2: 1 mistake in 1 of 1 files\n']);
});

test('validate: a scenario with wrong values says where', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const { stdout: printed } = await run(['stress', '--print'], { cwd });
  const broken = printed.replace('model: open', 'model: opn').replace(/^timeout: .*$/m, 'timeout: 5');
  writeFileSync(join(cwd, 'load.yml'), broken.replace('thresholds: []', 'thresholds: [rtt.p99<20]'));
  const { code, stdout } = await run(['validate', 'load.yml'], { cwd });
  assert.equal(code, 2);
  assert.match(stdout, /load\.yml:\d+:8 model: "opn" is none of open, closed; did you mean "open"\?/);
  assert.match(stdout, /load\.yml:\d+:10 timeout: "5" has no unit; write 5s or 5ms/);
  assert.match(stdout, /load\.yml:\d+:14 thresholds\.0: threshold "rtt\.p99<20": .*unit/);
});

test('validate: what cannot be read ends with one line', { timeout: 30_000 }, async (t) => {
  const cwd = emptyFolder(t);
  const { code, stdout, stderr } = await run(['validate', 'nowhere.yml'], { cwd });
  assert.deepEqual([code, stdout], [2, '']);
  assert.equal(stderr, 'wsbench: cannot read file nowhere.yml: no such file or folder\n');
});
