// The text of docs/asyncapi.yaml.
import { stringify } from 'yaml';
import { asyncapiDocument } from './asyncapi-document.ts';

const head = `# Written by tools/write-asyncapi.ts from the schemas of the messages and from docs/protocol.md: change those instead.
`;

/**
 * The document as YAML.
 *
 * @param protocolMd the text of docs/protocol.md
 */
export function asyncapiText(protocolMd: string): string {
  return head + stringify(asyncapiDocument(protocolMd), { lineWidth: 0, aliasDuplicateObjects: false });
}
