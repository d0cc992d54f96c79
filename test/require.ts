// Tests that need something from outside skip without it, unless the environment says that it must be there.

/** What a test may need from outside. */
export type Part =
  | 'chromium'
  | 'faketime'
  | 'git'
  | 'haproxy'
  | 'junit-xsd'
  | 'k6'
  | 'nginx'
  | 'openssl'
  | 'python3'
  | 'redis'
  | 'websockets'
  | 'xmllint';

/**
 * The `skip` option of a test that needs `part`: `false` when it was found, else the reason.
 *
 * @throws Error when it was not found although `WSBENCH_TEST_REQUIRE` (names, separated by commas) lists it
 */
export function skipUnless(part: Part, found: boolean): false | string {
  if (found) return false;
  const required = (process.env.WSBENCH_TEST_REQUIRE ?? '').split(',').map((name) => name.trim());
  if (required.includes(part)) throw new Error(`${part} was not found, but WSBENCH_TEST_REQUIRE asks for it`);
  return `${part} was not found here`;
}

/** True in the long tests (`npm run test:long`), which the default ones leave out. */
export const isLong = process.env.WSBENCH_TEST_LONG === '1';
