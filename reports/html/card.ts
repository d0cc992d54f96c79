// A section of the page.
import { type Markup, markup, type Part } from './markup.ts';

/** A section and what it is called in the list of them. */
export interface Card {
  id: string;
  title: string;
  body: Part;
}

/** A section under its heading. */
export function cardMarkup({ id, title, body }: Card, level: 2 | 3): Markup {
  const heading = level === 2 ? markup`<h2>${title}</h2>` : markup`<h3>${title}</h3>`;
  return markup`<section class="card" id="${id}">
${heading}
${body}</section>
`;
}

/** A command to run again; one click takes all of it. */
export function commandMarkup(command: Part): Markup {
  return markup`<pre class="command" tabindex="0"><code>${command}</code></pre>\n`;
}
