// Tokens whose header tells the verifier what to do.
import {
  attacker,
  b64,
  claims,
  ecdsa,
  good,
  hmac,
  issuer,
  type Json,
  jwkOf,
  jwks,
  rsa,
  token,
} from './forgery.ts';

export function kidInjection(canary: string): string[] {
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
      '#{7*7}',
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

export function headerKeys(canary: string): string[] {
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

export function encrypted(): string[] {
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
