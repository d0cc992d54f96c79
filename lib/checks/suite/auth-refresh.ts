// auth-refresh: a token that ends announces itself, and a fresh one of the same subject keeps the connection.
import { formatDuration } from '../../duration.ts';
import { compileMatcher, receivedText } from '../../target/matcher.ts';
import { connectionMessage } from '../../target/opening.ts';
import type { Target } from '../../target/target.ts';
import { Asker } from '../asker.ts';
import { type Check, type Finding, failed, passed } from '../check.ts';
import { describeClosed } from '../closed.ts';
import type { CheckConnection } from '../connection.ts';
import type { Context } from '../context.ts';
import { otherTarget } from '../described.ts';
import { ackOf, answerOf, describeAnswers, excerptOf } from '../message.ts';

interface Evidence {
  lifetimeMs: number;
  /** The target asked for a fresh token before the old one ended; null: it is not said to. */
  announced: boolean | null;
  /** Why the fresh token was not taken; null: it was. */
  refused: string | null;
  /** What became of a token for somebody else; null: it was refused as it should be, or not tried. */
  foreign: string | null;
  /** How the connection, or what it is for, ended by the time that the old token was over; null: it lives. */
  closed: string | null;
}

/** As short as servers may take: they refuse what ends at once. */
const lifetimeS = 3;
/** By then a server that still goes by the old token has closed. */
const graceMs = 400;

type Refresh = NonNullable<NonNullable<Target['auth']>['refresh']>;

export const authRefresh: Check<Evidence> = {
  id: 'auth-refresh',
  title: 'A fresh token keeps the connection',
  tags: ['quick'],
  needs: ['refresh', 'mint'],
  impact: 'none',
  dependsOn: ['connect', 'auth-first-message'],
  deadlineMs: ({ timeoutMs }) => lifetimeS * 1000 + 4 * timeoutMs,
  async run(context) {
    const endsMs = performance.now() + lifetimeS * 1000;
    const short = await context.mint({ expiresInS: lifetimeS });
    const connection = await context.connect({ token: short });
    const target = otherTarget(context.facts);
    const refresh = target?.auth?.refresh;
    const seen = refresh
      ? await refreshDescribed(context, connection, refresh)
      : await refreshTyped(context, connection);
    await connection.waitForClose(Math.max(0, endsMs - performance.now()) + graceMs);
    const closed = connection.closed
      ? describeClosed(connection.closed)
      : target && (await unserved(context, connection, target));
    return { lifetimeMs: lifetimeS * 1000, ...seen, closed: closed ?? null };
  },
  judge,
};

function judge({ lifetimeMs, announced, refused, foreign, closed }: Evidence): Finding {
  const lifetime = formatDuration(lifetimeMs);
  if (announced === false) {
    return failed(`a word before a token of ${lifetime} ends`, closed ?? 'nothing');
  }
  if (foreign !== null) return failed('ERROR FORBIDDEN for a fresh token of another subject', foreign);
  if (refused !== null) return failed('a fresh token of the same subject to be taken', refused);
  if (closed !== null) {
    return failed('the connection to live on after the end of the first token', closed);
  }
  const said = announced ? 'announced its end; ' : '';
  return passed(`a token of ${lifetime} ${said}with a fresh one the connection lives on`);
}

type Seen = Pick<Evidence, 'announced' | 'refused' | 'foreign'>;

async function refreshTyped(context: Context, connection: CheckConnection): Promise<Seen> {
  const expiring = await connection.next(({ type }) => type === 'TOKEN_EXPIRING', lifetimeS * 1000);
  const announced = expiring !== undefined;
  const stranger = await context.mint({ sub: `${context.sub}-other` });
  const toStranger = await connection.request('AUTH', { token: stranger });
  const isForbidden = answerOf(toStranger, 'ERROR')?.payload.code === 'FORBIDDEN';
  const answer = await connection.request('AUTH', { token: await context.mint() });
  return {
    announced,
    foreign: isForbidden ? null : describeAnswers(toStranger),
    refused: ackOf(answer) ? null : describeAnswers(answer),
  };
}

async function refreshDescribed(
  context: Context,
  connection: CheckConnection,
  { when, send, expect, refuse }: Refresh,
): Promise<Seen> {
  let announced: boolean | null = null;
  if (when) announced = (await nextLike(connection, when, 0, lifetimeS * 1000)) !== undefined;
  const before = connection.received.length;
  const values = { ...connection.talk.values, token: await context.mint() };
  await connection.pace();
  connection.send(connectionMessage(send, values, undefined));
  if (!expect) return { announced, foreign: null, refused: null };
  const isRefusal = refuse ? compileMatcher(refuse) : () => false;
  const isAnswer = compileMatcher(expect);
  const outcome = await connection.waitFor(() => {
    for (const { data } of connection.received.slice(before)) {
      const message = receivedText(data.toString());
      if (isRefusal(message)) return excerptOf(data);
      if (isAnswer(message)) return true;
    }
    return undefined;
  });
  return { announced, foreign: null, refused: outcome === true ? null : (outcome ?? 'no answer') };
}

/** A target may end what a connection is for and keep the connection, as Phoenix does: what became of a request; null: a reply. */
async function unserved(
  context: Context,
  connection: CheckConnection,
  target: Target,
): Promise<string | null> {
  const asker = new Asker(context, connection, target);
  await asker.ask(1);
  const [request] = asker.book.sent;
  if (request !== undefined && request.replies > 0) return null;
  return `a request after that: ${request?.refusal ?? asker.book.looseRefusal ?? 'no reply'}`;
}

function nextLike(
  connection: CheckConnection,
  like: NonNullable<Refresh['when']>,
  from: number,
  timeoutMs: number,
): Promise<true | undefined> {
  const fits = compileMatcher(like);
  return connection.waitFor(
    () =>
      connection.received.slice(from).some(({ data }) => fits(receivedText(data.toString()))) || undefined,
    timeoutMs,
  );
}
