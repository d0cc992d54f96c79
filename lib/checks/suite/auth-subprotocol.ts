// auth-subprotocol: a token offered as a subprotocol authenticates, and only the real subprotocol comes back (RFC 6455 §4.2.2).
import { type Check, failed, passed } from '../check.ts';
import { CheckConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { describeFailure } from '../failure.ts';
import { claimsOf } from '../forge.ts';
import { readWelcome } from '../message.ts';

interface Evidence {
  /** Real subprotocols that were offered beside the credential. */
  offered: readonly string[];
  /** Why it did not open. */
  refused: string | null;
  /** What was selected; null: the credential itself, which is not to be shown. */
  selected: string | null;
  /** Whom the token is for and whom WELCOME greets; null where there is no WELCOME. */
  subjects: { token: string; welcome: string | null } | null;
}

const ours = 'wsbench.v1';

export const authSubprotocol: Check<Evidence> = {
  id: 'auth-subprotocol',
  title: 'A token as subprotocol, never selected back',
  tags: ['quick'],
  needs: ['subprotocol', 'token'],
  impact: 'none',
  dependsOn: ['connect'],
  async run(context) {
    const isOurs = context.facts.speaks === 'wsbench';
    const offered = isOurs ? [ours] : context.subprotocols;
    const token = (await context.token()) ?? '';
    const opened = await connectBy(context, token, offered);
    if (!(opened instanceof CheckConnection)) {
      return { offered, refused: describeFailure(opened), selected: '', subjects: null };
    }
    const { subprotocol } = opened;
    const [greeting] = opened.envelopes;
    const welcome = greeting && readWelcome(greeting);
    return {
      offered,
      refused: null,
      selected: subprotocol === '' || offered.includes(subprotocol) ? subprotocol : null,
      subjects: isOurs ? { token: String(claimsOf(token).sub), welcome: welcome?.sub ?? null } : null,
    };
  },
  judge({ offered, refused, selected, subjects }) {
    const beside = offered.length === 0 ? 'alone' : `beside ${offered.join(', ')}`;
    if (refused !== null) return failed(`a token offered as subprotocol ${beside} to open`, refused);
    if (selected === null) {
      return failed('a real subprotocol selected, or none', 'the one that carries the credential');
    }
    if (offered.length > 0 && selected === '') {
      return failed(`one of ${offered.join(', ')} selected`, 'none, on which browsers give up');
    }
    if (subjects && subjects.token !== subjects.welcome) {
      return failed(
        'WELCOME for the subject of the token',
        subjects.welcome === null ? 'WELCOME for nobody' : 'WELCOME for another subject',
      );
    }
    const back = selected === '' ? 'none selected' : `only ${selected} selected`;
    return passed(`a token offered as subprotocol ${beside} opens, ${back}`);
  },
};

async function connectBy(
  context: Context,
  token: string,
  offered: readonly string[],
): ReturnType<Context['attempt']> {
  if (context.tokenPlace.in === 'subprotocol') return context.attempt({ token, subprotocols: offered });
  return context.attempt({ token, subprotocols: offered, place: { in: 'subprotocol' } });
}
