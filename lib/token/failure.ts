// Why a token is refused, in the words of jose's errors and in ours.
import { errors } from 'jose';

export type VerifyFailure =
  | 'expired'
  | 'malformed'
  | 'signature'
  | 'algorithm'
  | 'claims'
  | 'keys unavailable';

/** Says the same of whatever algorithm is not configured, known or safe. */
export const notAccepted = 'the algorithm of this token is not accepted here';

/** What an error that verification threw says about the token. */
export function explain(error: unknown): { why: VerifyFailure; message: string } {
  if (error instanceof errors.JWTExpired) return { why: 'expired', message: 'token has expired' };
  if (error instanceof errors.JWTClaimValidationFailed) {
    const claim = error.claim === 'nbf' ? 'nbf is in the future' : `${error.claim} is not accepted`;
    return {
      why: 'claims',
      message: error.reason === 'missing' ? `claim ${error.claim} is missing` : `claim ${claim}`,
    };
  }
  if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWKSNoMatchingKey) {
    return { why: 'signature', message: 'signature does not match' };
  }
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) {
    return { why: 'algorithm', message: notAccepted };
  }
  if (error instanceof errors.JWKSMultipleMatchingKeys) {
    return { why: 'signature', message: 'the token does not say which of several keys signed it' };
  }
  return { why: 'malformed', message: 'not a valid token' };
}
