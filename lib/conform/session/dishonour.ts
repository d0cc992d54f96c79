// Whether a server answers the offer of permessage-deflate as it was made.
import { judgeAnswer } from '../../protocol/deflate-negotiation.ts';
import type { Handshake } from '../../transport/upgrade.ts';
import type { Case } from '../case.ts';

/** What is wrong with the answer; null: it honours one of the offers, or there was nothing to answer. */
export function dishonour({ response }: Handshake, { load }: Case): string | null {
  const headers = response.headers.filter(([name]) => name.toLowerCase() === 'sec-websocket-extensions');
  if (load?.kind !== 'deflate' || headers.length === 0) return null;
  const header = headers.map(([, value]) => value).join(', ');
  const answers = load.offers.map((offer) => judgeAnswer(header, offer));
  const kept = answers.find((answer) => answer === null || !('problem' in answer));
  if (kept !== undefined || answers.length === 0) return null;
  const [first] = answers;
  return first && 'problem' in first ? first.problem : null;
}
