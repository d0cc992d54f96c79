// What was expected of a case and what came, in one line each.
import { redactText } from '../result/redact.ts';
import { bytesOf } from './bytes.ts';
import type { Case, ExpectedEvent } from './case.ts';
import type { Seen, SeenEvent } from './seen.ts';

const shownBytes = 40;

/** What the case expects. */
export function describeExpected({ expect, close, load }: Case): string {
  const events = load ? loadText(load) : eventsText(expect.OK);
  const codes = close.codes.join(' or ');
  const end =
    close.by === 'us'
      ? `then our close answered by ${codes} or no code${close.clean ? ' and the end of TCP' : ''}, or else the end of TCP`
      : `then the connection failed by the target, with ${codes} or by the end of TCP`;
  return `${events}; ${close.clean ? end.replace(', or else the end of TCP', '') : end}`;
}

function loadText(load: NonNullable<Case['load']>): string {
  if (load.kind === 'large') return 'the message back';
  return load.kind === 'round-trips' ? `${load.count} messages back` : 'each compressed message back';
}

/** What came. */
export function describeSeen(seen: Seen): string {
  if (seen.notOpened !== null) return `no WebSocket: ${seen.notOpened}`;
  const events = seen.load ? seenLoadText(seen) : eventsText(seen.events);
  return [
    events,
    ...seen.violations,
    ...seen.notes.filter((note) => !note.startsWith('broken:')),
    endText(seen),
  ].join('; ');
}

function seenLoadText({ load }: Seen): string {
  if (!load) return 'nothing';
  if (load.declined) return 'permessage-deflate was not agreed to';
  const right = `${load.right.toLocaleString('en')} of ${load.wanted.toLocaleString('en')} messages back`;
  return [right, load.wrong, load.otherContent].filter((text) => text !== null).join('; ');
}

function endText(seen: Seen): string {
  const { remoteCloseCode: code, closedByUs, clean, droppedByUs } = seen;
  const who = closedByUs ? 'closed by us' : droppedByUs ? 'dropped by us' : 'closed by the target';
  if (code !== null) return `${who}, the target's close frame said ${code}`;
  if (clean) return `${who}, the target's close frame had no code`;
  return closedByUs
    ? 'closed by us, without a close frame of the target'
    : 'ended without a close frame of the target';
}

function eventsText(events: readonly (ExpectedEvent | SeenEvent)[]): string {
  return events.length === 0 ? 'no answer' : events.map(eventText).join(', ');
}

function eventText(event: ExpectedEvent | SeenEvent): string {
  if (event.event === 'timeout') return `still open after wait ${event.tag}`;
  const payload = event.payload instanceof Uint8Array ? Buffer.from(event.payload) : bytesOf(event.payload);
  const name = event.event === 'pong' ? 'pong' : event.binary ? 'binary message' : 'text message';
  if (payload.length === 0) return `empty ${name}`;
  const start = payload.subarray(0, shownBytes);
  const isPlain = start.every((byte) => byte >= 0x20 && byte < 0x7f);
  const letters = start.toString('latin1');
  const masked = redactText(letters);
  // What a server sends back of a credential is no more to be shown as bytes than as text.
  const text =
    masked !== letters
      ? `"${masked.replace(/[^ -~]/g, '.')}"`
      : isPlain
        ? `"${letters}"`
        : start.toString('hex').replace(/(..)(?=.)/g, '$1 ');
  return `${name} ${text}${payload.length > shownBytes ? `… (${payload.length.toLocaleString('en')} bytes)` : ''}`;
}
