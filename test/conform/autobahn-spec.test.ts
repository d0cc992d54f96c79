// Autobahn's own file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAutobahnSpec } from '../../lib/conform/autobahn-spec.ts';
import { allCases } from '../../lib/conform/index.ts';

const ids = allCases.map(({ id }) => id);
const parse = (text: string) => parseAutobahnSpec(text, 'spec.json', ids);

test('a file as it comes with the suite, with comments and trailing commas', () => {
  const spec = parse(`{
   // what every server is tested with
   "options": {"failByDrop": false},
   "outdir": "./reports/servers", /* two
   lines */
   "servers": [
      {"agent": "AutobahnServer", "url": "ws://127.0.0.1:9001", "options": {"version": 18}},
      {"url": "ws://127.0.0.1:9002//x", "origin": "http://a.example", "protocols": ["a", "b"]},
   ],
   "cases": ["1.*", "12.1.*"],
   "exclude-cases": ["1.2.8"],
   "exclude-agent-cases": {"Autobahn*": ["12.*"]}
}`);
  assert.deepEqual(spec.servers, [
    { name: 'AutobahnServer', url: 'ws://127.0.0.1:9001', subprotocols: [], headers: [] },
    { url: 'ws://127.0.0.1:9002//x', subprotocols: ['a', 'b'], headers: [['Origin', 'http://a.example']] },
  ]);
  assert.deepEqual(
    [spec.cases, spec.exclude, spec.outdir],
    [['1.*', '12.1.*'], ['1.2.8'], './reports/servers'],
  );
  assert.equal(spec.excludedOf('AutobahnServer').length, 90);
  assert.deepEqual(spec.excludedOf('Other'), []);
  assert.deepEqual(spec.warnings, []);
});

test('all cases are "*"; without servers or cases there is nothing to say about them', () => {
  assert.deepEqual(parse('{"cases": ["*"], "exclude-agent-cases": {}}').cases, ['*']);
  const bare = parse('{"url": "ws://127.0.0.1:9001"}');
  assert.deepEqual([bare.servers, bare.cases, bare.exclude], [[], [], []]);
});

test('what matches nothing is passed over with a warning', () => {
  const spec = parse(
    '{"cases": ["1.*", "9.9.*"], "exclude-cases": ["8.*"], "options": {"failByDrop": false, "version": 18, "closeHandshakeTimeout": 3}}',
  );
  assert.deepEqual([spec.cases, spec.exclude], [['1.*'], []]);
  assert.deepEqual(
    spec.warnings.map(({ message }) => message),
    [
      'spec.json: passed over: options.closeHandshakeTimeout',
      'spec.json: cases: "9.9.*" matches no case',
      'spec.json: exclude-cases: "8.*" matches no case',
    ],
  );
});

// biome-ignore format: a table
const wrong: [text: string, code: string, message: RegExp][] = [
  ['{"cases": ["8.*"]}', 'USAGE', /^spec\.json: cases: none of the patterns matches a case/],
  ['{"cases": []}', 'USAGE', /none of the patterns/],
  ['{\n  "servers": [{"agent": "x"}]\n}', 'CONFIG', /^spec\.json:2:\d+ servers\.0\.url: is missing/],
  ['{\n  // first\n  "cases": "1.*"\n}', 'CONFIG', /^spec\.json:3:12 cases: wants a list/],
  ['{"cases": [', 'CONFIG', /^spec\.json:1:/],
  ['[]', 'CONFIG', /wants a mapping/],
  ['{\n  "options": {"failByDrop": true}\n}', 'CONFIG', /^spec\.json:2:29 options\.failByDrop: cannot be true: .*close frame.*leave it out$/],
];

for (const [text, code, message] of wrong) {
  test(`refused: ${JSON.stringify(text)}`, () => assert.throws(() => parse(text), { code, message }));
}
