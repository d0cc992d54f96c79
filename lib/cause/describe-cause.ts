// A failure as one line for people.
import type { Cause, FailureKind } from './cause.ts';
import { hintOf } from './hints.ts';

// What the detail alone does not say; an empty one is said by its detail.
const leads: Record<FailureKind, string> = {
  refused: 'connection refused',
  dns: 'the host name could not be resolved',
  tls: 'TLS failed',
  http: '',
  timeout: '',
  reset: '',
  'accept-key': '',
  subprotocol: '',
  extension: '',
  handshake: '',
  network: 'no way to the host',
  resources: 'this machine is out of files or ports',
  protocol: '',
  join: 'it opened, but auth or join failed',
};

/** A failure in one line, with what to do about it: `connection refused: connect ECONNREFUSED … (nothing listens there: …)`. */
export function describeCause({ kind, detail }: Cause): string {
  const lead = leads[kind];
  const hint = hintOf(kind, detail);
  return `${lead === '' ? detail : `${lead}: ${detail}`}${hint === undefined ? '' : ` (${hint})`}`;
}
