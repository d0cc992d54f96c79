// What a JSON Web Token says, and what looks wrong in it. Pure: nothing is sent, and the signature is not looked at.
import { WsbenchError } from '../errors.ts';

/** What a token is for. */
export type TokenKind = 'supabase-user' | 'supabase-api-key' | 'wsbench' | 'unknown';

/** A claim that is a time. */
export interface TokenTime {
  claim: string;
  /** ISO 8601. */
  at: string;
  /** Seconds from now; negative: ago. */
  inSeconds: number;
  /** How far it is, in words: `expires in 12 min`. */
  words: string;
}

/** What a token says. */
export interface TokenFacts {
  kind: TokenKind;
  /** The kind in words. */
  title: string;
  header: Record<string, unknown>;
  claims: Record<string, unknown>;
  times: TokenTime[];
  /** True: a server that checks the times refuses it now. */
  refusedNow: boolean;
  /** What looks wrong, a sentence each. */
  problems: string[];
}

const dayS = 86_400;
// Servers and proxies commonly allow 8 KiB for all headers together.
const longToken = 7000;

/**
 * Decodes a token.
 *
 * @param text the token, perhaps with `Bearer` before it
 * @param nowMs the time that its own times are held against
 * @throws WsbenchError `USAGE` when it is no token that can be decoded; the message does not repeat it
 */
export function inspectToken(text: string, nowMs: number): TokenFacts {
  const token = bareToken(text);
  const parts = token.split('.');
  const header = decoded(parts[0], 'header');
  const claims = decoded(parts[1], 'payload');
  const times = timesOf(claims, nowMs);
  const { kind, title } = kindOf(claims);
  const expS = seconds(claims.exp);
  const nbfS = seconds(claims.nbf);
  return {
    kind,
    title,
    header,
    claims,
    times,
    refusedNow: (expS !== undefined && expS * 1000 <= nowMs) || (nbfS !== undefined && nbfS * 1000 > nowMs),
    problems: [
      ...headerProblems(header, parts, token.length),
      ...timeProblems(claims, kind, nowMs),
      ...claimProblems(claims, kind),
    ],
  };
}

/** The token in a text, checked for its outer form. */
function bareToken(text: string): string {
  const token = text.trim().replace(/^(authorization\s*:\s*)?bearer\s+/i, '');
  const wrong = (what: string): never => {
    throw new WsbenchError('USAGE', `token inspect: ${what}`);
  };
  if (token === '') return wrong('there is no token: it is empty');
  const api = /^sb_(publishable|secret)_/.exec(token);
  if (api) {
    wrong(
      `this is a ${api[1]} API key of Supabase and no JWT: it has nothing to decode, and goes into the apikey header or parameter, not after Bearer`,
    );
  }
  const parts = token.split('.');
  if (parts.length === 5) return wrong('this token is encrypted (JWE): only who has its key can read it');
  if (parts.length !== 3) {
    wrong(`not a JSON Web Token: that is three parts with dots between, and this has ${parts.length}`);
  }
  return token;
}

function decoded(part: string | undefined, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(part ?? '', 'base64url')),
    );
  } catch {
    throw new WsbenchError(
      'USAGE',
      `token inspect: not a JSON Web Token: its ${what} is no JSON in base64url`,
    );
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new WsbenchError('USAGE', `token inspect: not a JSON Web Token: its ${what} is no JSON object`);
  }
  return value as Record<string, unknown>;
}

function kindOf(claims: Record<string, unknown>): { kind: TokenKind; title: string } {
  const { iss, role, ref } = claims;
  if (iss === 'supabase' && claims.sub === undefined && (role === 'anon' || role === 'service_role')) {
    const project = typeof ref === 'string' ? `, project ${ref}` : '';
    return { kind: 'supabase-api-key', title: `legacy Supabase API key (${role}${project})` };
  }
  const ours = rolesOf(claims);
  if (ours !== undefined) return { kind: 'wsbench', title: `token for the reference server (${ours})` };
  const fromAuth = typeof iss === 'string' && /\/auth\/v1\/?$/.test(iss);
  const likeUser =
    typeof role === 'string' && ['aal', 'session_id', 'is_anonymous'].some((name) => name in claims);
  if (fromAuth || likeUser) {
    const project = /^https:\/\/([a-z\d]+)\.supabase\.co\//.exec(String(iss))?.[1];
    const facts = [
      ...(claims.is_anonymous === true ? ['anonymous user'] : []),
      ...(project === undefined ? [] : [`project ${project}`]),
    ];
    return {
      kind: 'supabase-user',
      title: `Supabase user access token${facts.length === 0 ? '' : ` (${facts.join(', ')})`}`,
    };
  }
  return { kind: 'unknown', title: 'JSON Web Token of no kind that wsbench knows' };
}

/** What `app_metadata.wsbench` allows at the reference server, in words; undefined without it. */
function rolesOf({ app_metadata: metadata }: Record<string, unknown>): string | undefined {
  const own = (metadata as { wsbench?: unknown } | null | undefined)?.wsbench;
  if (own === null || typeof own !== 'object') return undefined;
  const { roles, tenant } = own as { roles?: unknown; tenant?: unknown };
  const named = Array.isArray(roles) && roles.length > 0 ? `roles ${roles.join(', ')}` : 'no roles named';
  return typeof tenant === 'string' ? `${named}, tenant ${tenant}` : named;
}

function headerProblems(header: Record<string, unknown>, parts: readonly string[], length: number): string[] {
  const { alg } = header;
  const problems: string[] = [];
  if (typeof alg !== 'string') problems.push('the header has no alg');
  else if (/^none$/i.test(alg)) {
    problems.push('alg none: nothing is signed, and no server may accept it (RFC 8725 §3.1)');
  } else if (parts[2] === '') problems.push('its signature is empty');
  for (const name of ['jku', 'x5u', 'jwk', 'x5c']) {
    if (!(name in header)) continue;
    problems.push(
      `header ${name} brings a key or says where to fetch one: a server must go by its own keys (RFC 8725 §3.10)`,
    );
  }
  if ('crit' in header)
    problems.push('header crit names extensions: a server that does not know them must refuse');
  if (parts.some((part) => /[^\w-]/.test(part)))
    problems.push('it is not in base64url: + / = have no place in it');
  if (length > longToken) {
    problems.push(`it is ${length} characters long: many servers take no more than 8 KiB of headers`);
  }
  return problems;
}

function timeProblems(claims: Record<string, unknown>, kind: TokenKind, nowMs: number): string[] {
  const nowS = nowMs / 1000;
  const problems: string[] = [];
  for (const name of ['exp', 'nbf', 'iat']) {
    const value = claims[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      problems.push(
        `${name} is ${typeof value === 'string' ? 'a text' : 'no number'}: it must be a number of seconds`,
      );
    } else if (value > 1e11) problems.push(`${name} is in milliseconds, it seems: it must be in seconds`);
  }
  const [expS, iatS, nbfS] = [seconds(claims.exp), seconds(claims.iat), seconds(claims.nbf)];
  if (claims.exp === undefined)
    problems.push('no exp: it never expires, and servers that want one refuse it');
  if (iatS !== undefined && iatS > nowS + 60) problems.push('iat lies in the future: is a clock wrong?');
  if (nbfS !== undefined && nbfS > nowS) problems.push('nbf lies in the future: it is not valid yet');
  if (expS !== undefined && iatS !== undefined && expS <= iatS) problems.push('exp is not after iat');
  const lifetimeS = expS === undefined ? 0 : expS - (iatS ?? nowS);
  if (lifetimeS > dayS && kind !== 'supabase-api-key') {
    problems.push(
      `it lives for ${span(lifetimeS)}: more than a day is long for a token that cannot be called back`,
    );
  }
  return problems;
}

function claimProblems(claims: Record<string, unknown>, kind: TokenKind): string[] {
  const problems: string[] = [];
  if (kind === 'supabase-api-key') {
    problems.push(
      'an API key stands for a project, not a user: it has no sub, and the reference server refuses it',
    );
  }
  for (const name of ['sub', 'role']) {
    const value = claims[name];
    if (value === undefined && kind !== 'supabase-api-key') {
      problems.push(
        `no ${name}: the reference server refuses it${name === 'role' ? ', and so does Supabase Realtime' : ''}`,
      );
    } else if (value !== undefined && (typeof value !== 'string' || value === '')) {
      problems.push(`${name} must be a text that is not empty`);
    }
  }
  if (claims.role === 'service_role') {
    problems.push('role service_role passes every rule of its project: it belongs in no browser and no test');
  }
  return problems;
}

const timeWords: Record<string, readonly [future: string, past: string]> = {
  exp: ['expires in', 'expired'],
  nbf: ['becomes valid in', 'became valid'],
  iat: ['issued in', 'issued'],
  auth_time: ['signed in in', 'signed in'],
};

function timesOf(claims: Record<string, unknown>, nowMs: number): TokenTime[] {
  return Object.entries(timeWords).flatMap(([claim, [future, past]]) => {
    const atS = seconds(claims[claim]);
    if (atS === undefined) return [];
    const inSeconds = Math.round(atS - nowMs / 1000);
    const words = inSeconds > 0 ? `${future} ${span(inSeconds)}` : `${past} ${span(-inSeconds)} ago`;
    return [{ claim, at: new Date(atS * 1000).toISOString(), inSeconds, words }];
  });
}

/** A time of a token, if it is one that a date can hold. */
function seconds(value: unknown): number | undefined {
  return typeof value === 'number' && Math.abs(value) <= 8.64e12 ? value : undefined;
}

/** A length of time in words, in the largest unit that leaves at least 2 of it. */
function span(seconds: number): string {
  const units: readonly [length: number, name: string][] = [
    [365 * dayS, 'years'],
    [dayS, 'd'],
    [3600, 'h'],
    [60, 'min'],
  ];
  for (const [length, name] of units) {
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)} ${name}`;
  }
  return `${Math.round(seconds)} s`;
}
