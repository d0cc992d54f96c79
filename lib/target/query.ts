// Query parameters put into a URL without touching those beside them: some are signed as they are written. Pure.

/** Whether a URL has a query parameter. */
export function hasParameter(url: string, name: string): boolean {
  return new URL(url).searchParams.has(name);
}

/** A URL with a query parameter, in place of those of the same name; everything else stays as it is written. */
export function withParameter(url: string, name: string, value: string): string {
  const changed = new URL(url);
  const others = changed.search
    .slice(1)
    .split('&')
    .filter((part) => part !== '' && !new URLSearchParams(part).has(name));
  changed.search = [...others, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`].join('&');
  return changed.href;
}
