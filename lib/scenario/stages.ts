// Stages of load, in scenario files and on the command line.
import { z } from 'zod';
import { parseCount, parseDurationMs, parseRatePerSecond } from '../duration.ts';
import { WsbenchError } from '../errors.ts';
import { countOrNone, duration, rateOrNone } from '../quantities.ts';

/** Schema of one stage. */
export const stageSchema = z.strictObject({
  duration: duration.describe('How long the stage lasts; 0s: what it says holds at once.'),
  connections: countOrNone.describe('Connections at its end; without it they stay what they are.').optional(),
  rate: rateOrNone
    .describe('Messages per second at its end, over all connections; without it the rate stays what it is.')
    .optional(),
});

/** A stage: in `duration` ms, connections and rate go along a straight line from what they were to what it says. */
export type ScenarioStage = z.output<typeof stageSchema>;

const form = 'write it like 30s:rate=5k/s,connections=200, or 30s to go on as it is';

/**
 * Reads a stage as `--stage` takes it: `30s:rate=5k/s,connections=200`.
 *
 * @throws WsbenchError `USAGE` that says what is wrong with it
 */
export function parseStage(text: string, what = '--stage'): ScenarioStage {
  const [time = '', changes, ...more] = text.split(':');
  const wrong = (message: string): never => {
    throw new WsbenchError('USAGE', `${what}: "${text}" ${message}; ${form}`);
  };
  if (more.length > 0) wrong('has more than one colon');
  const stage: ScenarioStage = { duration: parseDurationMs(time, what) };
  for (const change of changes?.split(',') ?? []) {
    const [name = '', value, ...rest] = change.split('=').map((part) => part.trim());
    if (value === undefined || rest.length > 0)
      wrong(`says "${change}", which is no rate=… or connections=…`);
    if ((name === 'rate' || name === 'connections') && stage[name] !== undefined) wrong(`says ${name} twice`);
    if (name === 'rate') stage.rate = parseRatePerSecond(value ?? '', `${what} rate`, true);
    else if (name === 'connections') stage.connections = parseCount(value ?? '', `${what} connections`, 0);
    else wrong(`names "${name}", and a stage has rate and connections`);
  }
  return stage;
}
