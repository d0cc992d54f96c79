// A case as a line of test/conform/expected/cases.txt.
import { createHash } from 'node:crypto';
import { bytesOf } from '../../lib/conform/bytes.ts';
import type { Bytes, Case, ExpectedEvent, Step } from '../../lib/conform/case.ts';
import { corpusSpecs } from '../../lib/conform/corpora.ts';
import { offerHeader } from '../../lib/conform/deflate-offer.ts';

/** The line of a case. */
export function lineOf(row: Case): string {
  const { id, steps, close, timer, autoClose, rules = [] } = row;
  return [
    id,
    steps.map(stepText).join(' ; '),
    row.load ? loadText(row) : expectText(row),
    `${close.by} ${close.codes.join(',')}${close.clean ? ' clean' : ''}`,
    [timer.kind, timer.afterMs, ...(autoClose ? ['auto'] : []), ...[...rules].sort()].join(' '),
  ].join(' | ');
}

function payloadText(payload: Bytes = ''): string {
  const bytes = bytesOf(payload);
  if (bytes.length === 0) return '-';
  if (bytes.length <= 64) return bytes.toString('hex');
  return `${bytes.length}:${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}`;
}

function stepText(step: Step): string {
  switch (step.do) {
    case 'frame': {
      const chop = step.chop === undefined ? '' : ` chop=${step.chop}`;
      const fin = step.fin ? 1 : 0;
      return `frame ${step.opcode} fin=${fin} rsv=${step.rsv} ${payloadText(step.payload)}${chop}${step.ownWrite ? ' own' : ''}`;
    }
    case 'message': {
      const fragment = step.fragmentSize === undefined ? '' : ` fragment=${step.fragmentSize}`;
      return `message ${step.opcode} ${payloadText(step.payload)}${fragment}`;
    }
    case 'begin':
      return `begin ${step.opcode} fin=${step.fin ? 1 : 0} ${step.length}`;
    case 'piece':
      return `piece ${payloadText(step.payload)}`;
    case 'wait':
      return `wait ${step.ms}${step.tag === undefined ? '' : ` ${step.tag}`}`;
    case 'close':
      return `close ${step.code ?? '-'} ${payloadText(step.reason)}`;
  }
}

function eventText(event: ExpectedEvent): string {
  if (event.event === 'message') return `${event.binary ? 'binary' : 'text'} ${payloadText(event.payload)}`;
  return event.event === 'pong' ? `pong ${payloadText(event.payload)}` : `open ${event.tag}`;
}

function expectText({ expect }: Case): string {
  return Object.entries(expect)
    .map(([verdict, events]) => `${verdict}: ${events.map(eventText).join(' , ')}`.trimEnd())
    .join(' / ');
}

function loadText({ load }: Case): string {
  if (!load) return '';
  const opcode = load.binary ? 2 : 1;
  if (load.kind === 'large') return `large ${opcode} ${payloadText(load.payload)}`;
  if (load.kind === 'round-trips')
    return `round-trips ${opcode} ${payloadText(load.payload)} count=${load.count}`;
  const { corpus, size, fragmentSize = 0, offers } = load;
  return `deflate ${opcode} ${corpusSpecs[corpus].length} size=${size} fragment=${fragmentSize} ${offerHeader(offers)}`;
}
