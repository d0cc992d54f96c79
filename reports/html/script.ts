// The script of a page: uPlot, and the functions of `client.ts` as they were compiled.
import { count, figure, ms } from '../figures.ts';
import * as client from './client.ts';
import { uplotTexts } from './uplot.ts';

/** The text of the script, the same for every report. */
export function scriptText(): string {
  const functions = [count, figure, ms, ...Object.values(client)].map(String).join('\n');
  return `${uplotTexts().script}\n(() => {\n'use strict';\n${functions}\n${client.start.name}();\n})();\n`;
}
