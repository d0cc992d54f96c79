// Words with their marks: a colour never says anything alone.
import type { CheckStatus, Outcome } from '../../lib/result/result.ts';
import { type Markup, markup } from './markup.ts';
import type { Tone } from './table.ts';

const signs: Record<Tone, string> = { good: '✓', bad: '✗', warn: '!', quiet: '–' };

/** A mark and the word for it. */
export function marked(tone: Tone, word: string): Markup {
  return markup`<span class="mark ${tone}"><span aria-hidden="true">${signs[tone]}</span> ${word}</span>`;
}

/** The tone of an outcome. */
export const outcomeTones: Record<Outcome, Tone> = {
  passed: 'good',
  failed: 'bad',
  inconclusive: 'warn',
  interrupted: 'warn',
};

/** The tone of a check. */
export const checkTones: Record<CheckStatus, Tone> = { passed: 'good', failed: 'bad', skipped: 'quiet' };
