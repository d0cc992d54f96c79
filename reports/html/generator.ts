// How the generator itself fared: whether the figures above are the target's.
import type { StressResult } from '../../lib/result/result.ts';
import { bytes, count, ms, percent } from '../figures.ts';
import { generatorWords } from '../stress-facts.ts';
import { marked } from './marks.ts';
import { type Markup, markup } from './markup.ts';
import { type Column, facts, table } from './table.ts';

const twoDigits = (share: number): string => percent(Math.round(share * 100) / 100);

/** The verdict on the generator, its figures, and those of each worker. */
export function generatorBody(result: StressResult): Markup {
  const { generator } = result;
  const [, ...words] = generatorWords(result);
  const verdict = generator.limited
    ? marked('bad', 'limited: its own delay is in the figures, which say little about the target')
    : marked('good', 'healthy: it was in time, so the figures are not its own');
  const { loopDelay } = generator;
  const delay = `p50 ${ms(loopDelay.p50)} ms · p99 ${ms(loopDelay.p99)} ms · max ${ms(loopDelay.max)} ms`;
  return markup`<p>${verdict}</p>
${facts([
  ['Event loop delay', delay],
  ['Load', words.join(' · ')],
  ...(generator.reasons.length === 0 ? [] : [['Reasons', generator.reasons.join('; ')] as const]),
  ...(generator.advice.length === 0 ? [] : [['Try', generator.advice.join(', ')] as const]),
  ...(generator.throughputIsLowerBound
    ? [['Throughput', 'a lower bound: the generator used its whole CPU'] as const]
    : []),
])}${workers(generator)}`;
}

function workers({ perWorker = [] }: StressResult['generator']): Markup | undefined {
  if (perWorker.length < 2) return undefined;
  const right = (head: string): Column => ({ head, align: 'right' });
  const rows = perWorker.map(({ worker, loopDelay, cpu, gc, sendLagP99, heapBytes }) => ({
    cells: [
      String(worker),
      ms(loopDelay.p99),
      ms(loopDelay.max),
      twoDigits(cpu),
      sendLagP99 === null ? '–' : ms(sendLagP99),
      `${count(gc.count)}, longest ${ms(gc.maxMs)} ms`,
      bytes(heapBytes),
    ],
  }));
  const heads = ['Loop delay p99, ms', 'max, ms', 'CPU', 'Send lag p99, ms', 'GC pauses', 'Heap'];
  return table('Each worker', [{ head: 'Worker' }, ...heads.map(right)], rows);
}
