// What the runner of GitHub Actions takes for a command in what a step prints: text of a server must not hold any.

/** Whether the command runs as a step of GitHub Actions. */
export function onActions(env: Readonly<Record<string, string | undefined>>): boolean {
  return env.GITHUB_ACTIONS === 'true';
}

/** Text as it can be printed: without commands where the runner would obey them. */
export function printable(text: string, env: Readonly<Record<string, string | undefined>>): string {
  return onActions(env) ? withoutCommands(text) : text;
}

/**
 * Lines without commands for the runner, which takes `::name` at the start of a line and `##[name]` anywhere: a blank comes
 * between their signs.
 */
export function withoutCommands(text: string): string {
  return text.replace(/^(\s*):(?=:[a-z])/gim, '$1: ').replace(/#(?=#\[)/g, '# ');
}
