// What an error of Redis is called. Pure.

/** Errors that say something about the Redis; any other is `other`. */
export const redisErrors = [
  'OOM',
  'READONLY',
  'MISCONF',
  'NOAUTH',
  'NOPERM',
  'WRONGTYPE',
  'LOADING',
  'BUSY',
  'MASTERDOWN',
  'NOREPLICAS',
  'other',
] as const;

export type RedisError = (typeof redisErrors)[number];

/** The kind of an error by its text. Redis before 7 wraps the errors of scripts: `ERR Error running script (…): -OOM command not …`. */
export function redisErrorOf(message: string): RedisError {
  const [, code] = /(?:^|: -?)([A-Z]{3,})\b/.exec(message.replace(/^ERR /, '')) ?? [];
  return redisErrors.find((known) => known === code) ?? 'other';
}
