// Section 12: permessage-deflate with five kinds of content.
import type { Group, Section } from '../case.ts';
import { type CorpusName, corpusSpecs } from '../corpora.ts';
import { anyClient, deflateRows } from './deflate-rows.ts';
import { bothRoles } from './rows.ts';

const corpora: readonly CorpusName[] = ['json', 'bitmap', 'prose', 'html', 'pdf'];

export const deflate: Section = {
  id: '12',
  title: 'Compression of different content',
  roles: bothRoles,
  groups: corpora.map(
    (corpus, index): Group => ({
      title: `Content: ${corpusSpecs[corpus].words}`,
      spec: 'RFC 7692 §6, §7.2',
      requirement:
        'Each compressed message comes back with the same content, compressed or not, in whatever fragments.',
      cases: deflateRows(`12.${index + 1}`, corpus, [anyClient]),
    }),
  ),
};
