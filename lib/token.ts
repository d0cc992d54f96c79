// JSON Web Tokens: minted for tests, verified for the reference server, looked into for people. All that others use of lib/token/.
export type { JSONWebKeySet, JWK } from 'jose';
export type { VerifyFailure } from './token/failure.ts';
export { inspectToken, type TokenFacts } from './token/inspect.ts';
export { type FetchOutcome, KeySet, type KeySetOptions } from './token/key-set.ts';
export { generateSigningKey, publicJwk } from './token/keys.ts';
export { mintToken, type SigningKey, signClaims, type TokenOptions, unsignedToken } from './token/mint.ts';
export { type CheckingKey, checkSignature } from './token/signature.ts';
export {
  type Claims,
  createVerifier,
  longestLifetimeS,
  type VerifierOptions,
} from './token/verify.ts';
