// The report as one HTML file: it needs no network, and its tables need no script.
import type { Comparison } from '../lib/compare/compare.ts';
import type { Result } from '../lib/result/result.ts';
import { composedComparison } from './composed-comparison.ts';
import { type Card, cardMarkup } from './html/card.ts';
import { comparisonCard } from './html/comparison.ts';
import { configurationCard } from './html/configuration.ts';
import { conformCards } from './html/conform.ts';
import { type EmbeddedJson, embedJson } from './html/embedded-json.ts';
import { type Markup, markup, type Part, shown } from './html/markup.ts';
import { pageText } from './html/page.ts';
import { quickCards } from './html/quick.ts';
import { stressCards } from './html/stress.ts';
import { verdictStrip } from './html/verdict-strip.ts';
import type { Reporter } from './reporter.ts';
import { outcomeWords } from './verdict.ts';

const titles: Record<Result['kind'], string> = {
  quick: 'Quick test',
  stress: 'Stress test',
  conform: 'Conformance',
};

interface Section {
  name: string;
  body: Markup;
  contents: readonly (readonly [id: string, name: string])[];
}

/** Renders results as one page; two of one kind are compared in it. */
export const html: Reporter = (results, options) => {
  const comparison = options.comparison ?? composedComparison(results);
  const embedded = embedJson(results);
  const single = results.length === 1;
  const sections = results.map((result, index) =>
    section(result, index, embedded[index] ?? { json: '{}', leftOut: [] }, single),
  );
  const compared = comparison && comparisonCard(comparison, results);
  const [first] = results;
  const heading = first && single ? headingOf(first) : title(results, comparison);
  return pageText({
    title:
      first && single
        ? `${outcomeWords[first.outcome]}: ${titles[first.kind]} of ${first.target.url}`
        : title(results, comparison),
    heading,
    contents: [
      ...(compared ? [[compared.id, compared.title] as const] : []),
      ...sections.flatMap(({ contents }) => contents),
    ],
    body: markup`${compared && cardMarkup(compared, 2)}${sections.map(({ body }) => body)}${results.length === 0 && markup`<p>No result in this report.</p>\n`}`,
    footer: footer(results),
  });
};

function headingOf({ kind, target }: Result): Part {
  return markup`${titles[kind]} of ${shown(target.url, 200)}`;
}

function title(results: readonly Result[], comparison: Comparison | undefined): string {
  if (comparison && results.length <= 2) return `${titles[comparison.kind]}, before and after`;
  return `${results.length} results`;
}

function section(result: Result, index: number, embedded: EmbeddedJson, single: boolean): Section {
  const id = `r${index + 1}`;
  const name = single ? titles[result.kind] : `${index + 1}. ${titles[result.kind]}`;
  const cards = [...cardsOf(result, id), configurationCard(result, id, embedded)];
  const level = single ? 2 : 3;
  return {
    name,
    body: markup`${!single && markup`<h2 class="run-title">${name} of ${shown(result.target.url, 200)}</h2>\n`}${verdictStrip(result, id)}${cards.map((card) => cardMarkup(card, level))}`,
    contents: single ? cards.map(({ id: to, title: words }) => [to, words] as const) : [[id, name]],
  };
}

function cardsOf(result: Result, id: string): Card[] {
  if (result.kind === 'quick') return quickCards(result, id);
  return result.kind === 'stress' ? stressCards(result, id) : conformCards(result, id);
}

function footer(results: readonly Result[]): Markup {
  const measured = results.some(({ kind }) => kind === 'stress');
  return markup`${
    measured &&
    markup`<p>Round trip, intended: from the time a message was due to its reply. Round trip, service: from the time it was sent. Percentiles: HdrHistogram, 3 significant digits, ranked over all messages that were due; those without a reply rank last.</p>
`
  }<p class="nojs">The plots need JavaScript, which is off here; the tables have their figures.</p>
<p>Made by wsbench. This file loads nothing and sends nothing.</p>
`;
}
