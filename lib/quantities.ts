// Durations, counts, rates and sizes as people write them in YAML files, as zod schemas.
import { z } from 'zod';
import { parseCount, parseDurationMs, parseRatePerSecond, parseSizeBytes } from './duration.ts';
import { messageOf } from './errors.ts';

function quantity<T>(parse: (text: string) => T) {
  return z.union([z.string(), z.number()]).transform((value, context) => {
    try {
      return parse(String(value));
    } catch (error) {
      context.addIssue({ code: 'custom', message: messageOf(error) });
      return z.NEVER;
    }
  });
}

/** A duration with its unit, such as `250ms` or `10s`; in ms. */
export const duration = quantity((text) => parseDurationMs(text));
/** A count, such as `10k`. */
export const count = quantity((text) => parseCount(text));
/** A rate, such as `5k/s`; per second. */
export const ratePerSecond = quantity((text) => parseRatePerSecond(text));
/** A size, such as `64k`; in bytes. */
export const sizeBytes = quantity((text) => parseSizeBytes(text));
