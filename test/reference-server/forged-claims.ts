// Claims that a signature does not make right.
import {
  audience,
  both,
  claims,
  ecdsa,
  hmac,
  issuer,
  type Json,
  keys,
  nowS,
  secret,
  token,
  without,
} from './forgery.ts';

export const withClaims = (more: Json): string[] => both({ ...claims, ...more });

/** Claims with one that JSON.stringify cannot write, such as 1e400. */
export const raw = (name: string, value: string): string =>
  `${JSON.stringify(without(name)).slice(0, -1)},"${name}":${value}}`;

export const notTimes: unknown[] = [
  '9999999999',
  '',
  'tomorrow',
  null,
  true,
  [],
  [nowS + 60],
  {},
  new Date((nowS + 60) * 1000),
];
export const wrongAudiences: unknown[] = [
  'anon',
  '',
  'Authenticated',
  'AUTHENTICATED',
  'authenticated2',
  'authenticate',
  ' authenticated',
  'authenticated ',
  'authenticated\0',
  'authenticated,anon',
  'authenticated anon',
  '*',
  '.*',
  ['x'],
  [],
  ['anon', 'x'],
  [['authenticated']],
  [null],
  null,
  0,
  true,
  { authenticated: true },
  { 0: 'authenticated' },
  'аuthenticated',
];
export const wrongIssuers: unknown[] = [
  'https://evil.example',
  `${issuer}/`,
  issuer.toUpperCase(),
  `${issuer} `,
  ` ${issuer}`,
  issuer.replace('https', 'http'),
  issuer.slice(0, -1),
  `${issuer}.evil.example`,
  `${issuer}?x`,
  `${issuer}#x`,
  `${issuer}\0`,
  issuer.replace('/auth', '//auth'),
  issuer.replace('demo', 'demo2'),
  issuer.replace('://', '://x@'),
  '',
  null,
  0,
  true,
  [issuer],
  [issuer, 'x'],
  { iss: issuer },
  'supabase',
];
export const wrongRoles: unknown[] = [
  'service_role',
  '',
  null,
  0,
  true,
  [],
  ['authenticated'],
  ['service_role'],
  {},
  { role: 'authenticated' },
];
export const wrongSubjects: unknown[] = ['', null, 0, true, [], ['root'], {}];

const doubled = (name: string, first: unknown, second: unknown): string =>
  `${JSON.stringify(without(name)).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(first)},${JSON.stringify(name)}:${JSON.stringify(second)}}`;

export function doubleClaims(): string[] {
  const payloads = [
    doubled('role', 'anon', 'service_role'),
    doubled('role', 'authenticated', 'authenticated'),
    doubled('role', 'service_role', 'authenticated'),
    doubled('sub', 'alice', 'root'),
    doubled('exp', nowS - 10, nowS + 10),
    doubled('aud', 'anon', audience),
    doubled('iss', 'https://evil.example', issuer),
    doubled('app_metadata', { wsbench: { roles: [] } }, { wsbench: { roles: ['agent'] } }),
    JSON.stringify(claims).replace('"role"', '"ro\\u006ce":"anon","role"'),
    JSON.stringify({ ...claims, app_metadata: {} }).replace(
      '{}',
      '{"wsbench":{"roles":[],"roles":["agent"]}}',
    ),
    JSON.stringify(without('role')).replace('{', '{"__proto__":{"role":"service_role"},'),
    JSON.stringify(without('sub')).replace('{', '{"__proto__":{"sub":"root"},'),
    JSON.stringify(without('exp')).replace('{', `{"__proto__":{"exp":${nowS + 60}},`),
    JSON.stringify(without('role')).replace('{', '{"constructor":{"prototype":{"role":"authenticated"}},'),
    JSON.stringify(without('aud')).replace('{', `{"__proto__":{"aud":"${audience}"},`),
  ];
  const header = '{"alg":"HS256","alg":"none"}';
  return [
    ...payloads.flatMap(both),
    token(header, claims, hmac(secret)),
    token('{"alg":"none","alg":"HS256"}', claims, hmac(secret)),
    token('{"alg":"ES256","kid":"rsa","kid":"ec"}', claims, ecdsa(keys.ec)),
    token('{"__proto__":{"alg":"HS256"}}', claims, hmac(secret)),
  ];
}
