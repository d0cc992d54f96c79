// What the runner of GitHub Actions takes for a command in what a step prints: text of a server must not hold any.

/** Whether the command runs as a step of GitHub Actions. */
export function onActions(env: Readonly<Record<string, string | undefined>>): boolean {
  return env.GITHUB_ACTIONS === 'true';
}

/**
 * Lines without commands for the runner, which takes `::name` at the start of a line and `##[name]` anywhere: a blank comes
 * between their signs.
 */
export function withoutCommands(text: string): string {
  return text.replace(/^(\s*):(?=:[a-z])/gim, '$1: ').replace(/#(?=#\[)/g, '# ');
}
