// The documents: each command exists, with every flag that it is shown with; links lead somewhere; tables are complete.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadPreset, presetNames } from '../lib/target/presets.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `docs/${file}`),
];

interface Shown {
  document: string;
  line: string;
  command: string;
  flags: string[];
}

function commandsOf(document: string): Shown[] {
  const text = readFileSync(join(root, document), 'utf8');
  const code = [...text.matchAll(/```(?:sh|yaml)\n([\s\S]*?)```/g)].flatMap((block) =>
    (block[1] ?? '').split('\n'),
  );
  const inline = [...text.matchAll(/`(wsbench [^`]+)`/g)].map((span) => span[1] ?? '');
  return [...code, ...inline].flatMap((line) => {
    // What stands in quotes, after a pipe or after a # is no flag.
    const [, words = ''] =
      /\bwsbench ([a-z].*)/.exec(line.replace(/'[^']*'/g, 'x').replace(/(\||#).*$/, '')) ?? [];
    // `token` has commands of its own.
    const [, command = ''] = /^(token [a-z]+|\S+)/.exec(words) ?? [];
    const flags = [...words.matchAll(/(?<=\s)(--[a-z][a-z-]*|-[a-zA-Z])\b/g)].map((match) => match[1] ?? '');
    return command === '' ? [] : [{ document, line, command, flags }];
  });
}

const shown = documents.flatMap(commandsOf);
const help = new Map<string, string>();

function helpOf(command: string): string {
  const known = help.get(command);
  if (known !== undefined) return known;
  const args = command === 'token' ? ['token', 'mint', '--help'] : [...command.split(' '), '--help'];
  const { stdout } = spawnSync(process.execPath, [join(root, 'cli/wsbench.js'), ...args], {
    encoding: 'utf8',
  });
  help.set(command, stdout);
  return stdout;
}

test('documents: every command that is shown exists, with its flags', { timeout: 60_000 }, () => {
  assert.ok(shown.length > 15, `${shown.length} commands found`);
  const wrong = shown.flatMap(({ document, line, command, flags }) => {
    const text = helpOf(command);
    const unknown = flags.filter((flag) => !new RegExp(`(^|[\\s,])${flag}\\b`, 'm').test(text));
    return text === '' || unknown.length > 0
      ? [`${document}: ${line.trim()} (${unknown.join(' ') || command})`]
      : [];
  });
  assert.deepEqual(wrong, []);
});

/** The anchor that GitHub gives to a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');

function anchorsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => anchorOf(heading));
}

test('documents: every link between them leads somewhere', () => {
  const dead = documents.flatMap((document) => {
    const links = [...readFileSync(join(root, document), 'utf8').matchAll(/\]\(([^)\s]+)\)/g)];
    return links.flatMap(([, link = '']) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? join(root, document) : join(root, dirname(document), file);
      const isThere = existsSync(path) && (anchor === undefined || anchorsOf(path).includes(anchor));
      return isThere ? [] : [`${document}: ${link}`];
    });
  });
  assert.deepEqual(dead, []);
});

test('documents: the table of presets has all of them, with their variables', () => {
  const text = readFileSync(join(root, 'docs/targets.md'), 'utf8');
  for (const preset of presetNames) {
    const row = text.split('\n').find((line) => line.startsWith(`| \`${preset}\` |`));
    assert.ok(row, preset);
    if (row.includes('as `phoenix`')) continue;
    for (const name of Object.keys(loadPreset(preset).vars ?? {}))
      assert.ok(row.includes(`\`${name}\``), `${preset}: ${name}`);
  }
});
