// Writes docs/asyncapi.yaml anew, after messages or docs/protocol.md have changed: node dist/tools/write-asyncapi.js
import { readFileSync, writeFileSync } from 'node:fs';
import { asyncapiText } from './asyncapi-text.ts';

const docs = new URL('../../docs/', import.meta.url);
writeFileSync(
  new URL('asyncapi.yaml', docs),
  asyncapiText(readFileSync(new URL('protocol.md', docs), 'utf8')),
);
