// All cases, put together from the sections' tables.
import type { Case, Section } from './case.ts';
import { framing } from './sections/01-framing.ts';
import { pings } from './sections/02-pings.ts';
import { reservedBits } from './sections/03-reserved-bits.ts';
import { opcodes } from './sections/04-opcodes.ts';
import { fragmentation } from './sections/05-fragmentation.ts';
import { utf8 } from './sections/06-utf8.ts';
import { closing } from './sections/07-close.ts';
import { limits } from './sections/09-limits.ts';
import { misc } from './sections/10-misc.ts';
import { deflate } from './sections/12-deflate.ts';
import { deflateParameters } from './sections/13-deflate-parameters.ts';

/** The sections, in the order of their numbers. Autobahn has no 8 and no 11. */
export const sections: readonly Section[] = [
  framing,
  pings,
  reservedBits,
  opcodes,
  fragmentation,
  utf8,
  closing,
  limits,
  misc,
  deflate,
  deflateParameters,
];

/** All cases, in the order of their ids. */
export const allCases: readonly Case[] = sections.flatMap(casesOf);

function casesOf({ id: section, title: sectionTitle, roles, groups }: Section): Case[] {
  return groups.flatMap(({ title: groupTitle, spec, requirement, cases }) =>
    cases.map((row) => ({ spec, ...row, requirement, section, sectionTitle, groupTitle, roles })),
  );
}
