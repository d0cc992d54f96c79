// Every family of attack on what a token says, as a list of tokens; and what it is like without the attack.
import { algNone, algorithmMatrix, confusion } from './forged-algorithms.ts';
import {
  doubleClaims,
  notTimes,
  raw,
  withClaims,
  wrongAudiences,
  wrongIssuers,
  wrongRoles,
  wrongSubjects,
} from './forged-claims.ts';
import { encrypted, headerKeys, kidInjection } from './forged-headers.ts';
import { corrupted, malformed } from './forged-shapes.ts';
import { audience, both, claims, good, issuer, nowS, range, without } from './forgery.ts';

/** One family of attacks: tokens that must be refused, and their like without the attack, which must not be. */
export interface Family {
  id: string;
  name: string;
  attacks: string[];
  controls: string[];
  /** What the refusal of each says. */
  reason?: RegExp;
}

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
