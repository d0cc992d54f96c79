// Durations, counts, rates and sizes as people write them in YAML files, as zod schemas.
import { z } from 'zod';
import {
  parseCount,
  parseDurationMs,
  parseDurationRange,
  parseRatePerSecond,
  parseShare,
  parseSizeBytes,
} from './duration.ts';
import { messageOf } from './errors.ts';

interface Quantity<T> {
  parse: (text: string, what: string) => T;
  /** What it looks like, for errors and editors. */
  like: string;
  /** What its text fulfils, for editors; the parser is stricter. */
  pattern: string;
  /** The least that a plain number may be; undefined: a plain number has no unit, and so no meaning. */
  least?: number;
}

function quantity<T>({ parse, like, pattern, least }: Quantity<T>) {
  return z
    .union([z.string(), z.number()], { error: like })
    .transform((value, context) => {
      try {
        return parse(String(value), like);
      } catch (error) {
        // The path says what it is: `heartbeat.every`.
        const message = messageOf(error).replace(`${like}: `, '');
        context.addIssue({ code: 'custom', message });
        return z.NEVER;
      }
    })
    .meta(
      least === undefined
        ? { type: 'string', pattern, anyOf: undefined }
        : {
            anyOf: [
              { type: 'string', pattern },
              { type: 'number', minimum: least },
            ],
          },
    );
}

const number = String.raw`(\d+(\.\d+)?|\.\d+)\s*`;

/** A duration with its unit, such as `250ms` or `10s`; in ms. */
export const duration = quantity({
  parse: parseDurationMs,
  like: 'a duration such as 250ms or 10s',
  pattern: `^\\s*${number}([uµ]s|[mM]?[sS]|[mMhH])\\s*$`,
});
/** A duration, or the span from one to another, such as `100ms-500ms`; from and to, in ms. */
export const durationRange = quantity({
  parse: parseDurationRange,
  like: 'a duration such as 250ms, or a span such as 100ms-500ms',
  pattern: `^\\s*${number}([uµ]s|[mM]?[sS]|[mMhH])\\s*(-\\s*${number}([uµ]s|[mM]?[sS]|[mMhH])\\s*)?$`,
});
/** A count, such as `10k`. */
export const count = quantity({
  parse: (text, what) => parseCount(text, what),
  like: 'a whole number such as 500 or 10k',
  pattern: `^\\s*${number}[kKmM]?\\s*$`,
  least: 1,
});
/** A rate, such as `5k/s`; per second. */
export const ratePerSecond = quantity({
  parse: parseRatePerSecond,
  like: 'a rate such as 100/s or 5k/s',
  pattern: `^\\s*${number}[kKmM]?\\s*(/\\s*[a-zA-Z]+)?\\s*$`,
  least: 0,
});
/** A count that may be none. */
export const countOrNone = quantity({
  parse: (text, what) => parseCount(text, what, 0),
  like: 'a whole number such as 0, 500 or 10k',
  pattern: `^\\s*${number}[kKmM]?\\s*$`,
  least: 0,
});
/** A rate that may be none; per second. */
export const rateOrNone = quantity({
  parse: (text, what) => parseRatePerSecond(text, what, true),
  like: 'a rate such as 0/s or 5k/s',
  pattern: `^\\s*${number}[kKmM]?\\s*(/\\s*[a-zA-Z]+)?\\s*$`,
  least: 0,
});
/** A share of a whole, such as `5%`; 0–1. */
export const share = quantity({
  parse: parseShare,
  like: 'a share such as 5%',
  pattern: `^\\s*${number}%?\\s*$`,
  least: 0,
});
/** A size, such as `64k`; in bytes. */
export const sizeBytes = quantity({
  parse: parseSizeBytes,
  like: 'a size such as 64, 1k or 1MiB',
  pattern: `^\\s*${number}([kKmM]?([iI]?[bB])?)\\s*$`,
  least: 0,
});
