// Tokens that lie about their algorithm.
import { createPublicKey } from 'node:crypto';
import {
  attacker,
  b64,
  claims,
  ecdsa,
  eddsa,
  hmac,
  jwks,
  keys,
  pss,
  range,
  rsa,
  type Signer,
  secret,
  token,
} from './forgery.ts';

function spellings(word: string): string[] {
  return range(0, 2 ** word.length).map((bits) =>
    [...word].map((letter, index) => (bits & (1 << index) ? letter.toUpperCase() : letter)).join(''),
  );
}

export function algNone(): string[] {
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
export function confusion(): string[] {
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
export function algorithmMatrix(): string[] {
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
