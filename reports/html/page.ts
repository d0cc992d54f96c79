// The page around a report: nothing is loaded, and nothing runs but the script whose hash the page names.
import { createHash } from 'node:crypto';
import { type Markup, markup, ownElement, type Part, textOf } from './markup.ts';
import { scriptText } from './script.ts';
import { styleText } from './style.ts';

/** What a page is made of. */
export interface Page {
  title: string;
  heading: Part;
  /** Sections to jump to: id and name. */
  contents: readonly (readonly [id: string, name: string])[];
  body: Part;
  footer: Part;
}

/** The whole document. */
export function pageText({ title, heading, contents, body, footer }: Page): string {
  const [style, script] = [styleText(), scriptText()];
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    `script-src '${hashOf(script)}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return textOf(markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
${ownElement('style', style)}
</head>
<body>
<a class="skip" href="#main">Skip to the results</a>
<header>
<p class="brand">wsbench report</p>
<h1>${heading}</h1>
${contents.length > 1 && navigation(contents)}</header>
<main id="main" tabindex="-1">
${body}</main>
<footer>
${footer}</footer>
${ownElement('script', script)}
</body>
</html>
`);
}

function navigation(contents: Page['contents']): Markup {
  return markup`<nav aria-label="Sections"><ul>
${contents.map(([id, name]) => markup`<li><a href="#${id}">${name}</a></li>\n`)}</ul></nav>
`;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
