// Writes dist/browser/: the client as files that a page can load as they are. Run by `npm run build`.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleClient, bundles } from './client-bundles.ts';

const folder = fileURLToPath(new URL('../browser/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const name of bundles) writeFileSync(join(folder, `${name}.js`), await bundleClient(name));
