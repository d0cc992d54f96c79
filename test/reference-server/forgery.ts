// Tokens as an attacker makes them: every family of attack on what a token says, as a list.
import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign as signBytes,
} from 'node:crypto';

/** The time at which all of this is judged, in s since the epoch. */
export const nowS = 1_700_000_000;
export const secret = 'a secret that has thirty-two byte';
export const issuer = 'https://demo.example/auth/v1';
export const audience = 'authenticated';

interface Pair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

export const keys = {
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }) as Pair,
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }) as Pair,
  ed: generateKeyPairSync('ed25519') as Pair,
};
const attacker = {
  ec: generateKeyPairSync('ec', { namedCurve: 'P-256' }) as Pair,
  rsa: generateKeyPairSync('rsa', { modulusLength: 2048 }) as Pair,
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }) as Pair,
};

const jwkOf = ({ publicKey }: Pair, kid: string): Record<string, unknown> => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
  use: 'sig',
});

/** What the servers under attack verify with, beside the secret. */
export const jwks = {
  keys: [jwkOf(keys.ec, 'ec'), jwkOf(keys.rsa, 'rsa'), jwkOf(keys.ed, 'ed')] as { kty: string }[],
};

export type Json = Record<string, unknown>;

/** Claims that are accepted. */
export const claims: Json = {
  iss: issuer,
  aud: audience,
  sub: 'mallory',
  role: 'authenticated',
  iat: nowS - 10,
  exp: nowS + 3600,
};

export const b64 = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

type Signer = (input: string) => Buffer;

export const hmac =
  (key: string | Buffer, hash = 'sha256'): Signer =>
  (input) =>
    createHmac(hash, key).update(input).digest();
const ecdsa =
  ({ privateKey }: Pair, hash = 'sha256'): Signer =>
  (input) =>
    signBytes(hash, Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
const rsa =
  ({ privateKey }: Pair, hash = 'sha256', padding?: number): Signer =>
  (input) =>
    signBytes(hash, Buffer.from(input), { key: privateKey, ...(padding === undefined ? {} : { padding }) });
const eddsa =
  ({ privateKey }: Pair): Signer =>
  (input) =>
    signBytes(null, Buffer.from(input), privateKey);
const pss = 6;

/** A token; header and payload may be raw text. */
export function token(header: unknown, payload: unknown, signer: Signer): string {
  const input = `${b64(header)}.${b64(payload)}`;
  return `${input}.${signer(input).toString('base64url')}`;
}

export const good = {
  hs: (payload: unknown = claims, more: Json = {}): string =>
    token({ alg: 'HS256', typ: 'JWT', ...more }, payload, hmac(secret)),
  es: (payload: unknown = claims, more: Json = {}): string =>
    token({ alg: 'ES256', typ: 'JWT', kid: 'ec', ...more }, payload, ecdsa(keys.ec)),
  rs: (payload: unknown = claims): string => token({ alg: 'RS256', kid: 'rsa' }, payload, rsa(keys.rsa)),
  ed: (payload: unknown = claims): string => token({ alg: 'EdDSA', kid: 'ed' }, payload, eddsa(keys.ed)),
};
const both = (payload: unknown): string[] => [good.hs(payload), good.es(payload)];
const withClaims = (more: Json): string[] => both({ ...claims, ...more });
const without = (name: string): Json =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));
/** Claims with one that JSON.stringify cannot write, such as 1e400. */
const raw = (name: string, value: string): string =>
  `${JSON.stringify(without(name)).slice(0, -1)},"${name}":${value}}`;
const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.ceil((to - from) / step) }, (_, index) => from + index * step);

/** One family of attacks: tokens that must be refused, and their like without the attack, which must not be. */
export interface Family {
  id: string;
  name: string;
  attacks: string[];
  controls: string[];
  /** What the refusal of each says. */
  reason?: RegExp;
}

function spellings(word: string): string[] {
  return range(0, 2 ** word.length).map((bits) =>
    [...word].map((letter, index) => (bits & (1 << index) ? letter.toUpperCase() : letter)).join(''),
  );
}

function algNone(): string[] {
  const names = [
    ...spellings('none'),
    '',
    ' none',
    'none ',
    'null',
    'nul\0',
    null,
    undefined,
    0,
    false,
    [],
    ['none'],
    {},
  ];
  return names.flatMap((alg) =>
    [{}, { kid: 'ec' }].flatMap((more) => {
      const input = `${b64({ alg, typ: 'JWT', ...more })}.${b64(claims)}`;
      return ['', 'AA', hmac(secret)(input).toString('base64url')].map(
        (signature) => `${input}.${signature}`,
      );
    }),
  );
}

/** Public keys as an HMAC secret, in every form in which a verifier might hold them. */
function confusion(): string[] {
  const forms = Object.entries(keys).flatMap(([kid, { publicKey }]) => {
    const jwk = publicKey.export({ format: 'jwk' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const texts: (string | Buffer)[] = [
      ...[pem, pem.trim(), ` ${pem}`, `\n${pem}`, pem.replaceAll('\n', '\r\n'), pem.replaceAll('\n', '')],
      ...[der, der.toString('base64'), der.toString('base64url'), pem.split('\n').slice(1, -2).join('')],
      ...[
        JSON.stringify(jwk),
        JSON.stringify(jwks.keys.find((key) => 'kid' in key && key.kid === kid)),
        JSON.stringify(jwks),
      ],
      ...[jwk.x, jwk.y, jwk.n, jwk.e].flatMap((part) =>
        part === undefined ? [] : [part, Buffer.from(part, 'base64url')],
      ),
      ...[kid, ''],
    ];
    if (kid === 'rsa') texts.push(createPublicKey(pem).export({ type: 'pkcs1', format: 'pem' }).toString());
    return texts.map((text) => ({ kid, text }));
  });
  return forms.flatMap(({ kid, text }) =>
    (
      [
        ['HS256', 'sha256'],
        ['HS384', 'sha384'],
        ['HS512', 'sha512'],
      ] as const
    ).flatMap(([alg, hash]) =>
      [{ alg, kid }, { alg }].map((header) => token(header, claims, hmac(text, hash))),
    ),
  );
}

/** Every algorithm's name over every kind of signature, but where name, key and configuration agree. */
function algorithmMatrix(): string[] {
  const names = [
    'HS256',
    'HS384',
    'HS512',
    'ES256',
    'ES384',
    'ES512',
    'ES256K',
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
    'EdDSA',
    'Ed25519',
    'Ed448',
    'RS1',
    'MD5',
    'hs256',
    'es256',
    'dir',
    'A128KW',
    'RSA-OAEP',
    'ML-DSA-44',
  ];
  const signers: [agrees: string, kid: string | undefined, signer: Signer][] = [
    ['HS256', undefined, hmac(secret)],
    ['', undefined, hmac(secret, 'sha384')],
    ['', undefined, hmac(secret, 'sha512')],
    ['ES256', 'ec', ecdsa(keys.ec)],
    ['', 'ec', ecdsa(keys.ec, 'sha384')],
    ['', 'ec', ecdsa(attacker.p384, 'sha384')],
    ['RS256', 'rsa', rsa(keys.rsa)],
    ['', 'rsa', rsa(keys.rsa, 'sha1')],
    ['', 'rsa', rsa(keys.rsa, 'sha384')],
    ['', 'rsa', rsa(keys.rsa, 'sha512')],
    ['', 'rsa', rsa(keys.rsa, 'sha256', pss)],
    ['', 'rsa', rsa(keys.rsa, 'sha512', pss)],
    ['EdDSA', 'ed', eddsa(keys.ed)],
  ];
  return signers.flatMap(([agrees, kid, signer]) =>
    names
      .filter((alg) => alg !== agrees)
      .map((alg) => token({ alg, ...(kid === undefined ? {} : { kid }) }, claims, signer)),
  );
}

function kidInjection(canary: string): string[] {
  const kids: unknown[] = [
    ...[
      '../../../../dev/null',
      '/dev/null',
      '/proc/self/environ',
      '..\\..\\windows\\win.ini',
      'file:///dev/null',
      'ec\0',
      '\0',
    ],
    ...[
      "' OR 1=1--",
      "x' UNION SELECT 'k'--",
      '"; DROP TABLE keys; --',
      '${7*7}',
      '{{7*7}}',
      '%00',
      '%2e%2e%2f',
    ],
    ...[
      '|cat /etc/passwd',
      '`id`',
      '$(id)',
      '; sleep 5',
      '&& curl x',
      '\r\nX: y',
      '<script>',
      canary,
      `${canary}/jwks.json`,
      canary.replace('http:', ''),
    ],
    ...[
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'hasOwnProperty',
      'length',
      '0',
      'keys',
      '*',
      '',
      ' ',
      'EC',
      ' ec',
      'ec ',
      'ec,rsa',
    ],
    ...['x'.repeat(1000), '🔑', 'e\u0301c', 'ес', 'undefined', 'null', 'true'],
    ...[0, 1, -1, 1.5, true, false, null, [], ['ec'], {}, { kid: 'ec' }, [['ec']]],
  ];
  return kids.flatMap((kid) => [
    token({ alg: 'ES256', kid }, claims, ecdsa(attacker.ec)),
    token({ alg: 'RS256', kid }, claims, rsa(attacker.rsa)),
    ...['', 'null', 'undefined', '[object Object]', String(kid)].map((key) =>
      token({ alg: 'HS256', kid }, claims, hmac(key)),
    ),
  ]);
}

function headerKeys(canary: string): string[] {
  const jwk = jwkOf(attacker.ec, 'evil');
  const spki = attacker.ec.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const places = [
    canary,
    `${canary}/.well-known/jwks.json`,
    `${canary}/auth/v1/.well-known/jwks.json`,
    canary.replace('127.0.0.1', 'localhost'),
    canary.replace('//', `//${new URL(issuer).host}@`),
    `${issuer}/../../${canary}`,
  ];
  const headers: Json[] = [
    ...places.flatMap((url) => [
      { jku: url },
      { x5u: url },
      { jku: url, x5u: url, iss: url },
      { url },
      { jwks_uri: url },
    ]),
    ...[
      { jwk },
      { jwk: jwks.keys[0] },
      { jwk: JSON.stringify(jwk) },
      { jwk: [jwk] },
      { jwk: { keys: [jwk] } },
      { x5c: [spki] },
      { x5c: spki },
    ],
    ...[
      { x5t: 'AAAA' },
      { 'x5t#S256': 'AAAA' },
      { jwk: { kty: 'oct', k: b64('k') } },
      { epk: jwk },
      { jwk, jku: canary, x5c: [spki] },
    ],
  ];
  return headers.flatMap((header) => [
    token({ alg: 'ES256', ...header }, claims, ecdsa(attacker.ec)),
    token({ alg: 'ES256', kid: 'evil', ...header }, claims, ecdsa(attacker.ec)),
    token({ alg: 'ES256', kid: 'ec', ...header }, claims, ecdsa(attacker.ec)),
    token({ alg: 'HS256', ...header }, claims, hmac('k')),
  ]);
}

/** What no token may look like; one message for all of them. */
function malformed(): string[] {
  const valid = good.es();
  const parts = valid.split('.');
  const [header = '', payload = '', signature = ''] = parts;
  const inserted = ['.', '=', '+', '/', ' ', '\t', '~', '%', 'é', '😀'].flatMap((letter) =>
    range(0, valid.length + 1, 3).map((at) => valid.slice(0, at) + letter + valid.slice(at)),
  );
  const bytes = Buffer.from([0xff, 0xfe, 0x80]).toString('base64url');
  return [
    ...inserted,
    ...[
      '.',
      '..',
      '...',
      '....',
      'a',
      'a.b',
      'Bearer',
      `Bearer ${valid}`,
      `${valid} ${valid}`,
      `${valid},${valid}`,
    ],
    ...[
      header,
      `${header}.${payload}`,
      `${valid}.${signature}`,
      `${valid}.x.y`,
      `.${payload}.${signature}`,
      `${header}..${signature}`,
    ],
    ...[
      `${header}.${payload}.${signature}=`,
      `${header}.${payload}.${signature}==`,
      `${header}=.${payload}.${signature}`,
    ],
    ...['null', 'true', '1', '[]', '"x"', '{', '', '{}', '{"alg":1}'].map(
      (text) => `${b64(text) || 'A'}.${payload}.${signature}`,
    ),
    ...[
      `${bytes}.${payload}.${signature}`,
      `"${valid}"`,
      `'${valid}'`,
      `{"token":"${valid}"}`,
      encodeURIComponent(`${valid}=`),
      valid.replaceAll('.', '%2e'),
    ],
  ];
}

/** Every flip of one bit, every truncation, signatures of other tokens. */
function corrupted(): string[] {
  return [good.hs(), good.es()].flatMap((valid) => {
    const flips = range(0, valid.length * 8).map((bit) => {
      const at = bit >> 3;
      const letter = String.fromCharCode(valid.charCodeAt(at) ^ (1 << (bit & 7)));
      return valid.slice(0, at) + letter + valid.slice(at + 1);
    });
    const cuts = range(0, valid.length).map((length) => valid.slice(0, length));
    const [header = '', payload = ''] = valid.split('.');
    const others = [good.hs({ ...claims, sub: 'x' }), good.es({ ...claims, sub: 'x' }), good.rs()].map(
      (other) => `${header}.${payload}.${other.split('.')[2]}`,
    );
    const zeros = [32, 64].map((size) => `${header}.${payload}.${Buffer.alloc(size).toString('base64url')}`);
    return [...flips, ...cuts, ...others, ...zeros];
  });
}

const doubled = (name: string, first: unknown, second: unknown): string =>
  `${JSON.stringify(without(name)).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(first)},${JSON.stringify(name)}:${JSON.stringify(second)}}`;

function doubleClaims(): string[] {
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

function encrypted(): string[] {
  const bomb = Buffer.alloc(3000, 'A').toString('base64url');
  const algorithms = [
    'dir',
    'RSA-OAEP',
    'RSA-OAEP-256',
    'RSA1_5',
    'A128KW',
    'A256GCMKW',
    'ECDH-ES',
    'PBES2-HS256+A128KW',
  ];
  return [
    ...algorithms.flatMap((alg) =>
      ['A128CBC-HS256', 'A256GCM'].map(
        (enc) =>
          `${b64({ alg, enc, zip: 'DEF', p2c: 2 ** 31 - 1, p2s: 'AAAA' })}.${bomb.slice(0, 400)}.AAAA.${bomb}.AAAA`,
      ),
    ),
    ...[['x'], ['exp'], [], ['b64', 'b64'], 'b64', 1, null, {}, ['alg']].flatMap((crit) => [
      good.hs(claims, { crit }),
      good.es(claims, { crit }),
    ]),
    ...[
      { b64: false, crit: ['b64'] },
      { b64: true, crit: ['b64'], x: 1 },
      { b64: false, crit: ['b64'], zip: 'DEF' },
    ].flatMap((more) => [good.hs(claims, more), good.es(claims, more)].slice(0, more.b64 ? 0 : 2)),
  ];
}

const notTimes: unknown[] = [
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
const wrongAudiences: unknown[] = [
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
const wrongIssuers: unknown[] = [
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
const wrongRoles: unknown[] = [
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
const wrongSubjects: unknown[] = ['', null, 0, true, [], ['root'], {}];

/** The families whose attack is in the token itself. No URL in them may be asked; they all name the canary's. */
export function families(canary: string): Family[] {
  const plain = [good.hs(), good.es(), good.rs(), good.ed()];
  const week = 7 * 86_400;
  // biome-ignore format: a table
  return [
    { id: 'JW-02', name: 'alg none', attacks: algNone(), controls: plain },
    { id: 'JW-03', name: 'a public key as the secret', attacks: confusion(), controls: plain },
    { id: 'JW-04', name: 'an algorithm that is not configured', attacks: algorithmMatrix(), controls: plain },
    { id: 'JW-05', name: 'kid injection', attacks: kidInjection(canary), controls: [good.es(), good.hs(claims, { kid: '../../../../dev/null' })] },
    { id: 'JW-06', name: 'keys in the header', attacks: headerKeys(canary), controls: [good.es(claims, { jku: canary, x5u: canary }), good.hs(claims, { jku: canary })] },
    { id: 'JW-07', name: 'expired', reason: /expired/, attacks: [...range(5, 200), 3600, 86_400, nowS - 1].flatMap((ago) => withClaims({ exp: nowS - ago, iat: nowS - ago - 60 })), controls: range(1, 5).flatMap((ago) => withClaims({ exp: nowS - ago })) },
    { id: 'JW-08', name: 'no exp', attacks: [without('exp'), ...['Exp', 'EXP', 'expires', 'expires_in', 'expiresAt', 'exp ', ' exp', 'exp\0'].map((name) => ({ ...without('exp'), [name]: nowS + 60 }))].flatMap(both), controls: both(claims) },
    { id: 'JW-09', name: 'exp of another kind, and lives too long', attacks: [
        ...notTimes.map((exp) => ({ ...claims, exp })),
        ...['1e400', '-1e400', '1e300', '9007199254740993', '1.5', String(nowS + 60.5), '-1', '0', '-0', '"1e400"'].map((text) => raw('exp', text)),
        ...[1, 60, 3600, week, 365 * 86_400, 2 ** 31, 2 ** 40].map((more) => ({ ...claims, iat: nowS, exp: nowS + week + more })),
        ...[1, 60, week].map((more) => ({ ...without('iat'), exp: nowS + week + more })),
        ...[0, -1, 1, nowS - week].map((iat) => ({ ...claims, iat, exp: nowS + 3600 })),
      ].flatMap(both), controls: [...withClaims({ iat: nowS, exp: nowS + week }), ...both({ ...without('iat'), exp: nowS + week })] },
    { id: 'JW-10', name: 'not yet valid', attacks: [
        ...[...range(6, 120), 3600, 2 ** 40].flatMap((ahead) => [{ ...claims, nbf: nowS + ahead }, { ...claims, iat: nowS + ahead, exp: nowS + ahead + 60 }]),
        ...notTimes.flatMap((time) => [{ ...claims, nbf: time }, { ...claims, iat: time }]),
        ...['1e400', '-1e400'].flatMap((text) => [raw('nbf', text), raw('iat', text)]),
      ].flatMap(both), controls: range(0, 6).flatMap((ahead) => [...withClaims({ nbf: nowS + ahead }), ...withClaims({ iat: nowS + ahead })]) },
    { id: 'JW-11', name: 'wrong aud', attacks: [...wrongAudiences.map((aud) => ({ ...claims, aud })), without('aud'), { ...without('aud'), Aud: audience }].flatMap(both), controls: [...both(claims), ...withClaims({ aud: ['x', audience] })] },
    { id: 'JW-12', name: 'wrong iss', attacks: [...wrongIssuers.map((iss) => ({ ...claims, iss })), without('iss'), { ...without('iss'), issuer }].flatMap(both), controls: both(claims) },
    { id: 'JW-13', name: 'roles and subjects that are none', attacks: [
        ...wrongRoles.map((role) => ({ ...claims, role })),
        ...wrongSubjects.map((sub) => ({ ...claims, sub })),
        ...['role', 'sub'].map(without),
        { ...without('role'), user_metadata: { role: 'authenticated' } },
        { ...without('role'), app_metadata: { role: 'authenticated' } },
        { ...without('role'), Role: 'authenticated', roles: ['authenticated'] },
        { iss: 'supabase', ref: 'demo', role: 'anon', iat: nowS, exp: nowS + 60 },
      ].flatMap(both), controls: [...both(claims), ...withClaims({ user_metadata: { role: 'service_role' } })] },
    { id: 'JW-14', name: 'claims given twice, claims inherited', attacks: doubleClaims(), controls: both(JSON.stringify(claims).replace('{', '{"__proto__":{"role":"service_role"},')) },
    { id: 'JW-15', name: 'crit, b64, zip, JWE', attacks: encrypted(), controls: [good.hs(claims, { zip: 'DEF' }), good.es(claims, { cty: 'x' })] },
    { id: 'JW-16', name: 'too long', reason: /too long/, attacks: [...[8000, 12_000, 15 * 1024].flatMap((bytes) => withClaims({ pad: 'x'.repeat(bytes) })), 'x'.repeat(8193), '.'.repeat(9000), 'e30.'.repeat(4000), 'x'.repeat(8 * 1024 ** 2)], controls: withClaims({ pad: 'x'.repeat(5000) }) },
    { id: 'JW-17', name: 'malformed', reason: /^not a valid token$/, attacks: malformed(), controls: plain },
    { id: 'JW-18', name: 'flipped bits, truncations, signatures of others', attacks: corrupted(), controls: plain },
  ];
}
