// uPlot, as its package ships it: what draws the plots, inlined into every page together with its licence.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

let texts: { script: string; style: string } | undefined;

/** The script and the style of uPlot, read when first asked for. */
export function uplotTexts(): { script: string; style: string } {
  texts ??= read();
  return texts;
}

function read(): { script: string; style: string } {
  const require = createRequire(import.meta.url);
  const folder = dirname(require.resolve('uplot/package.json'));
  const text = (name: string): string => readFileSync(join(folder, name), 'utf8').trim();
  // Its licence asks for its text in every copy.
  const licence = `/*! uPlot\n${text('LICENSE').replaceAll('*/', '* /')}\n*/`;
  return {
    script: `${licence}\n${text('dist/uPlot.iife.min.js')}`,
    style: `${licence}\n${text('dist/uPlot.min.css')}`,
  };
}
