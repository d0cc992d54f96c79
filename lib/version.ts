// The version of this package, as package.json has it.
import { readFileSync } from 'node:fs';

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

/** Version of wsbench, such as `1.0.0`. */
export const version: string = manifest.version;
