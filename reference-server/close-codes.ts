// Every close code that the server sends of its own accord, with its reason. docs/protocol.md has the client's side of it.

// biome-ignore format: a table
export const closes = {
  drain:          { code: 1001, reason: 'GOING_AWAY' },
  lengthNotMinimal: { code: 1002, reason: 'LENGTH_NOT_MINIMAL' },
  binary:         { code: 1003, reason: 'BINARY_NOT_ACCEPTED' },
  slowConsumer:   { code: 1008, reason: 'SLOW_CONSUMER' },
  unfinished:     { code: 1008, reason: 'MESSAGE_TIMEOUT' },
  pingFlood:      { code: 1008, reason: 'PING_FLOOD' },
  tooLargeBeforeAuth: { code: 1009, reason: 'TOO_LARGE_BEFORE_AUTH' },
  internal:       { code: 1011, reason: 'INTERNAL' },
  restart:        { code: 1012, reason: 'SERVICE_RESTART' },
  tooMany:        { code: 1013, reason: 'TOO_MANY_CONNECTIONS' },
  overloaded:     { code: 1013, reason: 'OVERLOADED' },
  badRequest:     { code: 4400, reason: 'BAD_REQUEST' },
  tokenInvalid:   { code: 4401, reason: 'TOKEN_INVALID' },
  tokenExpired:   { code: 4401, reason: 'TOKEN_EXPIRED' },
  tokenRevoked:   { code: 4401, reason: 'TOKEN_REVOKED' },
  forbidden:      { code: 4403, reason: 'FORBIDDEN' },
  authTimeout:    { code: 4408, reason: 'AUTH_TIMEOUT' },
  heartbeat:      { code: 4408, reason: 'HEARTBEAT_TIMEOUT' },
  replaced:       { code: 4409, reason: 'REPLACED' },
  rateLimited:    { code: 4429, reason: 'RATE_LIMITED' },
} as const;

export type Close = (typeof closes)[keyof typeof closes];
