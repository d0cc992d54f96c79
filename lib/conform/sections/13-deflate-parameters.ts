// Section 13: permessage-deflate with different parameters.
import type { DeflateParameters } from '../../protocol/deflate-negotiation.ts';
import type { Section } from '../case.ts';
import { anyClient, deflateRows } from './deflate-rows.ts';
import { bothRoles } from './rows.ts';

const noContext: DeflateParameters = { ...anyClient, serverNoContextTakeover: true };
const window = (bits: number): DeflateParameters => ({ serverMaxWindowBits: bits });

const groups: readonly [offered: string, offers: readonly DeflateParameters[]][] = [
  ['nothing of the server', [anyClient]],
  ['a server without context', [noContext]],
  ['a server with a window of 9 bits', [{ ...anyClient, ...window(9) }]],
  ['a server with a window of 15 bits', [{ ...anyClient, ...window(15) }]],
  ['a server without context, with a window of 9 bits', [{ ...noContext, ...window(9) }]],
  ['a server without context, with a window of 15 bits', [{ ...noContext, ...window(15) }]],
  ['three choices', [{ ...noContext, ...window(9) }, noContext, anyClient]],
];

export const deflateParameters: Section = {
  id: '13',
  title: 'Parameters of compression',
  roles: bothRoles,
  groups: groups.map(([offered, offers], index) => ({
    title: `Asking for ${offered}`,
    spec: 'RFC 7692 §7.1, §7.2',
    requirement:
      'Whatever parameters are agreed on, each compressed message comes back with the same content.',
    cases: deflateRows(`13.${index + 1}`, 'json', offers),
  })),
};
