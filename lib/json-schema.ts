// The JSON Schemas that are published, for editors and other tools: what zod says of files before they are read.
import { z } from 'zod';
import { resultSchema } from './result/schema.ts';
import { scenarioSchema } from './scenario/scenario.ts';
import { targetSchema } from './target/target.ts';

const echo = {
  name: 'echo',
  request: 'wsbench {{ id }} {{ pad }}',
  match: { by: 'marker' },
  echoes: true,
};
const chat = {
  name: 'chat',
  auth: { in: 'query', name: 'access_token' },
  join: [{ send: { type: 'join', room: 'load' }, expect: { pointer: '/type', equals: 'joined' } }],
  request: { type: 'say', id: '{{ id }}', text: '{{ pad }}' },
  match: { by: 'id', pointer: '/id' },
  push: [{ pointer: '/type', equals: 'said' }],
};
const stress = {
  kind: 'stress',
  name: 'evening',
  connections: 100,
  rate: '1k/s',
  model: 'open',
  depth: 1,
  arrival: 'constant',
  duration: '1m',
  rampUp: '5s',
  settle: '500ms',
  warmup: '1s',
  timeout: '5s',
  connectTimeout: '10s',
  thresholds: ['rtt.p99<50ms'],
};
const quick = {
  kind: 'quick',
  name: 'smoke',
  timeout: '5s',
  connections: 10,
  checks: ['connect', 'ping-frame', 'clean-close'],
};

type SchemaFile = 'result.schema.json' | 'scenario.schema.json' | 'target.schema.json';

/** The published JSON Schemas (draft 2020-12) by file name. */
export function jsonSchemas(): Record<SchemaFile, object> {
  return {
    'result.schema.json': jsonSchema(resultSchema, 'urn:wsbench:schema:result'),
    'target.schema.json': jsonSchema(targetSchema, 'urn:wsbench:schema:target', [echo, chat]),
    'scenario.schema.json': jsonSchema(scenarioSchema, 'urn:wsbench:schema:scenario', [stress, quick]),
  };
}

function jsonSchema(schema: z.ZodType, $id: string, examples?: readonly object[]): object {
  const { $schema, ...described } = z.toJSONSchema(schema, {
    io: 'input',
    target: 'draft-2020-12',
    unrepresentable: 'any',
    override: ({ jsonSchema: one }) => {
      // Formats of zod's own mean nothing to others; the pattern beside them says the same.
      delete one.format;
    },
  });
  return { $schema, $id, ...described, ...(examples ? { examples } : {}) };
}
