// Who is there: tokens at the handshake, and the verdict on tokens that come later.
import fp from 'fastify-plugin';
import { createVerifier, type JSONWebKeySet } from '../../lib/token.ts';
import type { Bus } from '../bus/bus.ts';
import { credentialsOf, isAllowedOrigin } from '../credentials.ts';
import { type Identity, identityOf, type Role } from '../identity.ts';
import { ipKey } from '../limits/ip-key.ts';
import type { ResolvedOptions } from '../options.ts';
import type { Authenticated } from '../server-context.ts';
import { refuse } from './refuse.ts';

declare module 'fastify' {
  interface FastifyInstance {
    authenticate: (token: string) => Promise<Authenticated>;
  }
  interface FastifyRequest {
    /** Set on WebSocket routes once the handshake is accepted; null: anonymous. */
    identity: Identity | null;
  }
  interface FastifyContextConfig {
    /** The role that a WebSocket route asks for at the handshake. */
    role?: Role;
  }
}

export interface AuthOptions {
  options: ResolvedOptions;
  /** The public keys that tokens are verified with, if any. */
  jwks: JSONWebKeySet | URL | undefined;
  bus: Bus;
}

export default fp<AuthOptions>(
  async (app, { options, jwks, bus }) => {
    const { secret, issuer, audience, allowedOrigins } = options;
    const verify = createVerifier({
      ...(secret === undefined ? {} : { secret }),
      ...(jwks === undefined ? {} : { jwks }),
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    });

    async function authenticate(token: string): Promise<Authenticated> {
      const verified = await verify(token);
      if (!verified.ok) {
        // Supabase's new API keys are handed about like tokens, but are none.
        const isApiKey = token.startsWith('sb_');
        return { ok: false, message: isApiKey ? 'this is an API key, not a token' : verified.message };
      }
      const identity = identityOf(verified.claims);
      const revokedAtMs = await bus.revokedAtMs(identity.sub);
      if (revokedAtMs !== undefined && identity.issuedAtMs <= revokedAtMs) {
        return { ok: false, message: 'token has been revoked' };
      }
      return { ok: true, identity };
    }

    app.decorate('authenticate', authenticate);
    app.decorateRequest('identity', null);
    app.addHook('onRequest', async (request, reply) => {
      const { webSocket, role } = request.routeOptions.config;
      if (webSocket === undefined) return undefined;
      const unauthorized = (message: string, error = ''): unknown =>
        refuse(
          reply.header('www-authenticate', `Bearer realm="wsbench"${error}`),
          401,
          'UNAUTHENTICATED',
          message,
        );
      const { raw } = request;
      // Pages of other sites are sent away whatever they bring; what is no browser sends no Origin.
      const { origin } = raw.headersDistinct;
      if (allowedOrigins && origin && !isAllowedOrigin(origin, allowedOrigins)) {
        return refuse(reply, 403, 'FORBIDDEN', 'this Origin is not allowed');
      }
      const found = credentialsOf(raw, options);
      const [credential] = found;
      if (found.length > 1) return unauthorized('more than one credential', ', error="invalid_request"');
      if (!credential) {
        return role === undefined
          ? undefined
          : unauthorized('a token is needed: Authorization: Bearer <token>');
      }
      const verdict: Authenticated =
        'token' in credential
          ? await authenticate(credential.token)
          : { ok: false, message: credential.malformed };
      if (!verdict.ok) {
        return unauthorized(
          verdict.message,
          `, error="invalid_token", error_description="${verdict.message}"`,
        );
      }
      if (role !== undefined && !verdict.identity.roles.includes(role)) {
        return refuse(reply, 403, 'FORBIDDEN', `this endpoint needs the role ${role}`);
      }
      request.identity = verdict.identity;
      return undefined;
    });

    // The last hook before the upgrade, and synchronous: nobody can slip in between this count and the next.
    app.addHook('preHandler', (request, reply, done) => {
      const { identity } = request;
      const key = identity ? `sub ${identity.sub}` : `ip ${ipKey(request.ip)}`;
      if (request.routeOptions.config.webSocket === undefined || app.limits.hasRoom(key)) return done();
      refuse(reply.header('retry-after', 1), 429, 'LIMIT_EXCEEDED', 'too many connections of one user');
    });
  },
  { name: 'wsbench-auth', fastify: '5.x', dependencies: ['wsbench-guard', 'wsbench-limits'] },
);
