// Tokens that are none: malformed, corrupted, cut.
import { b64, claims, good, range } from './forgery.ts';

/** What no token may look like; one message for all of them. */
export function malformed(): string[] {
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
export function corrupted(): string[] {
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
