// How replies find their requests, as people say it on a command line.
import { WsbenchError } from '../errors.ts';
import { type Target, targetSchema } from '../target/target.ts';
import { placeholdersIn } from '../target/template.ts';

type Match = Target['match'];

/**
 * Reads what `--match` says: `marker`, `order`, `id:/pointer` or `regex:PATTERN`.
 *
 * @throws WsbenchError `USAGE` that says what to write instead
 */
export function parseMatch(text: string): Match {
  const [how = '', ...others] = text.split(':');
  const rest = others.join(':');
  const wrong = (message: string): never => {
    throw new WsbenchError('USAGE', `--match: ${message}`);
  };
  if (rest !== '' && (how === 'marker' || how === 'order')) wrong(`${how} takes nothing after it`);
  const match =
    how === 'marker' || how === 'order'
      ? { by: how }
      : how === 'id'
        ? { by: how, pointer: rest }
        : how === 'regex'
          ? { by: how, pattern: rest }
          : wrong(`"${how}" is none of marker, order, id:/pointer, regex:PATTERN`);
  // The rules of target files, which know what a pointer and a pattern must be.
  const checked = targetSchema.safeParse({ name: 'x', request: '{{ id }}', match });
  if (checked.success) return checked.data.match;
  const issue = checked.error.issues[0]?.message ?? 'it is wrong';
  return wrong(
    how === 'id'
      ? `id: ${issue}; write it like id:/id`
      : `regex: ${issue}; write it like regex:"id":"([^"]+)"`,
  );
}

/**
 * A target whose replies are matched in another way than its description says. What they contain is then nobody's promise,
 * unless the description `echoes` all the same.
 *
 * @param message what is sent instead of the target's request
 * @throws WsbenchError `USAGE` when the message holds nothing that could be found in a reply
 */
export function matchedBy(
  target: Target,
  match: Match,
  message: string | Uint8Array | undefined,
  echoes: boolean,
): Target {
  const sent = message === undefined ? target.request : typeof message === 'string' ? message : '';
  const isNumbered = placeholdersIn(sent).some(({ name }) => name === 'id' || name === 'seq');
  if (!isNumbered && match.by !== 'order' && match.by !== 'pong') {
    throw new WsbenchError(
      'USAGE',
      `--match ${match.by} needs {{ id }} or {{ seq }} in the message; without one there are --match order and --no-reply`,
    );
  }
  return { ...target, match, echoes: echoes && match.by !== 'pong' };
}
