// Writes the published JSON Schemas into schema/: a step of the build.
import { mkdirSync, writeFileSync } from 'node:fs';
import { jsonSchemas } from '../lib/json-schema.ts';

const folder = new URL('../../schema/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(jsonSchemas())) {
  writeFileSync(new URL(name, folder), `${JSON.stringify(schema, null, 2)}\n`);
}
