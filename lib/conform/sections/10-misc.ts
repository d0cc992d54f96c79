// Section 10: what fits nowhere else.
import type { Section } from '../case.ts';
import { bothRoles, closedByUs, expectEcho, failAfter, textMessage, times } from './rows.ts';

export const misc: Section = {
  id: '10',
  title: 'Miscellaneous',
  roles: bothRoles,
  groups: [
    {
      title: 'Automatic fragmentation',
      spec: 'RFC 6455 §5.4',
      requirement: 'A message in fragments that its sender chose comes back whole.',
      cases: [
        {
          id: '10.1.1',
          title: 'Text message of 65,536 bytes in fragments of 1,300',
          steps: [textMessage(times('*', 65_536), 1300)],
          ...expectEcho(times('*', 65_536)),
          ...closedByUs,
          ...failAfter(10_000),
        },
      ],
    },
  ],
};
