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
  const words = command.split(' ').filter((word) => word !== '');
  const args = command === 'token' ? ['token', 'mint', '--help'] : [...words, '--help'];
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

const commands = [
  ...[
    '',
    'quick',
    'stress',
    'storm',
    'conform',
    'connect',
    'serve',
    'report',
    'compare',
    'merge',
    'runs',
    'validate',
    'doctor',
  ],
  ...['mint', 'inspect', 'jwks', 'keygen'].map((name) => `token ${name}`),
];

/** `-o, --output of quick`: a flag as a command has it. */
const flagOf = (short: string | undefined, long: string, command: string): string =>
  `${short === undefined ? '' : `${short}, `}${long} of ${command}`;

/** The flags that help lists. */
function flagsInHelp(command: string): string[] {
  const lines = helpOf(command).matchAll(/^ {2}(?:(-[a-zA-Z]), )?(--[a-z][a-z-]*)/gm);
  return [...lines].map(([, short, long = '']) => flagOf(short, long, command || 'wsbench'));
}

/** The flags in the tables of docs/flags.md: each for each command that stands beside it. */
function flagsInDocs(): string[] {
  const rows = readFileSync(join(root, 'docs/flags.md'), 'utf8').matchAll(/^\| (`-[^|]*) \| ([^|]*) \|/gm);
  return [...rows].flatMap(([, flags = '', of = '']) =>
    [...flags.matchAll(/`(?:(-[a-zA-Z]), )?(--[a-z][a-z-]*)/g)].flatMap(([, short, long = '']) =>
      of.split(', ').map((command) => flagOf(short, long, command)),
    ),
  );
}

test('docs/flags.md has every flag of every command, once, and no other', { timeout: 60_000 }, () => {
  const inHelp = commands.flatMap(flagsInHelp);
  const inDocs = flagsInDocs();
  assert.ok(inHelp.length > 150, `${inHelp.length} flags found`);
  const missing = inHelp.filter((flag) => !inDocs.includes(flag));
  const unknown = inDocs.filter((flag) => !inHelp.includes(flag));
  const twice = inDocs.filter((flag, index) => inDocs.indexOf(flag) < index);
  assert.deepEqual({ missing, unknown, twice }, { missing: [], unknown: [], twice: [] });
});

test('documents: every command of `wsbench --help` is known here', { timeout: 60_000 }, () => {
  const text = helpOf('');
  const listed = [...text.slice(text.indexOf('Commands:')).matchAll(/^ {2}([a-z]+) /gm)].map(
    ([, name]) => name,
  );
  const known = new Set(['token', 'help', ...commands]);
  assert.deepEqual(
    listed.filter((name = '') => !known.has(name) && name !== 'wsbench'),
    [],
  );
});

// Of other programs, or of Node.
const foreign: ReadonlySet<string> = new Set(['--cpus', '--max-old-space-size']);

test('documents: every flag that is named exists in some command', { timeout: 60_000 }, () => {
  const known = new Set(commands.flatMap(flagsInHelp).map((flag) => /--[a-z-]+/.exec(flag)?.[0]));
  const unknown = documents.flatMap((document) => {
    // Command lines of other programs have flags of their own.
    const text = readFileSync(join(root, document), 'utf8').replace(/`npm run [^`]*`|npm run .*/g, '');
    const named = [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag);
    return named
      .filter((flag) => !known.has(flag) && !foreign.has(flag))
      .map((flag) => `${document}: ${flag}`);
  });
  assert.deepEqual(unknown, []);
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
