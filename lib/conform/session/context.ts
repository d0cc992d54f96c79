// What a case is run with, and what comes of it.
import type { Cause } from '../../cause/cause.ts';
import type { OpenOptions } from '../../transport/connection.ts';
import type { Endpoint } from '../../transport/endpoint.ts';
import type { CompressedMessages } from '../compressed-messages.ts';
import type { Strictness } from '../plan.ts';
import type { Seen } from '../seen.ts';
import type { Patience } from './patience.ts';

/** What all cases of a run share. */
export interface SessionContext {
  endpoint: Endpoint;
  /** How to open: everything but what a case has of its own. */
  open: Omit<OpenOptions, 'timeoutMs' | 'wireLog'>;
  strictness: Strictness;
  /** What all waiting is multiplied with. */
  timeScale: number;
  /** Messages in each compressed load. */
  messages: number;
  compressed: CompressedMessages;
  patience: Patience;
}

/** What became of a case: it was seen, or there was nobody to test. */
export type SessionEnd =
  /** `timedOut`: the handshake was not answered in time. */
  { seen: Seen; timedOut: boolean } | { unreached: Cause };
