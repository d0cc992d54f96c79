// The client for pages, in one file: with the pool, and without it, which most pages do not need.
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** `client`: everything but `createPool`. `client-pool`: everything. */
export const bundles = ['client', 'client-pool'] as const;

/** A bundle's name. */
export type BundleName = (typeof bundles)[number];

// biome-ignore format: a table
const exported: Readonly<Record<BundleName, string>> = {
  client:        'ClientError, closePolicies, createClient, stateTransitions',
  'client-pool': 'ClientError, closePolicies, createClient, createPool, stateTransitions',
};

/** The bundle's text: an ES module of the year 2022, minified. Stands on the compiled lib/client. */
export async function bundleClient(name: BundleName): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export { ${exported[name]} } from './browser.js';`,
      resolveDir: fileURLToPath(new URL('../lib/client/', import.meta.url)),
    },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
  });
  return outputFiles[0]?.text ?? '';
}
