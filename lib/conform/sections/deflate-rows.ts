// The eighteen loads that each group of sections 12 and 13 has.
import type { DeflateParameters } from '../../protocol/deflate-negotiation.ts';
import type { CaseTimer, Row } from '../case.ts';
import { type CorpusName, corpusSpecs } from '../corpora.ts';
import { closeAfter, closedByUs, expectNothing } from './rows.ts';

const kib = 1024;

// biome-ignore format: a table
const loads: readonly [size: number, limitS: number, fragmentSize?: number][] = [
  [16, 60], [64, 60], [256, 120], [kib, 240],
  [4 * kib, 480], [8 * kib, 480], [16 * kib, 480], [32 * kib, 480], [64 * kib, 480], [128 * kib, 480],
  [8 * kib, 480, 256], [16 * kib, 480, 256], [32 * kib, 480, 256], [64 * kib, 480, 256], [128 * kib, 480, 256],
  [128 * kib, 480, kib], [128 * kib, 480, 4 * kib], [128 * kib, 480, 32 * kib],
];

/** What every client here can be told: to keep no context, and to take any window. */
export const anyClient: DeflateParameters = { clientNoContextTakeover: true, clientMaxWindowBits: true };

/** The rows of one group. */
export function deflateRows(group: string, corpus: CorpusName, offers: readonly DeflateParameters[]): Row[] {
  const { binary, words } = corpusSpecs[corpus];
  return loads.map(([size, limitS, fragmentSize], index) => ({
    id: `${group}.${index + 1}`,
    title: `Messages of ${size.toLocaleString('en')} ${binary ? 'bytes' : 'characters'} of ${words}${
      fragmentSize === undefined ? '' : `, in fragments of ${fragmentSize.toLocaleString('en')} bytes`
    }`,
    steps: [],
    load: {
      kind: 'deflate',
      binary,
      corpus,
      size,
      offers,
      ...(fragmentSize === undefined ? {} : { fragmentSize }),
    },
    ...expectNothing,
    ...closedByUs,
    autoClose: false,
    ...limit(limitS),
  }));
}

const limit = (seconds: number): { timer: CaseTimer } => closeAfter(seconds * 1000);
