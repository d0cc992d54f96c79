// What the parts of a Redis bus share: the link, the names, who this instance is, and whom to tell what was dropped.
import type { Clock } from '../clock.ts';
import type { RedisLink } from './redis-link.ts';
import type { RedisNames } from './redis-names.ts';
import type { RedisSession } from './redis-session.ts';
import type { Dropped } from './redis-wire.ts';

/** Bounds that tests make smaller. */
export interface RedisBounds {
  /** Messages kept a channel. */
  maxMessages: number;
  /** Bytes of JSON kept a channel. */
  maxBytes: number;
  /** How long a channel without subscribers is kept after its last message. */
  keepLogMs: number;
  /** Revocations remembered. */
  maxRevocations: number;
  /** How long a revocation counts: it must outlive every token that it revokes. */
  rememberRevocationMs: number;
  /** How long an instance that is silent counts as alive. */
  lifeMs: number;
}

export interface RedisContext {
  readonly link: RedisLink;
  readonly names: RedisNames;
  readonly clock: Clock;
  /** This instance's id, a UUID. */
  readonly instance: string;
  readonly bounds: RedisBounds;
  dropped(why: Dropped): void;
}

/** One concern of the bus. */
export interface RedisPart {
  /** Channels that it has to hear now. */
  names(): string[];
  /** Takes a message of such a channel; false: not one of its own. */
  message(name: string, text: string): boolean;
  /** Makes good what was missed, once its channels are heard again. */
  resume(session: RedisSession, isNew: boolean): Promise<void>;
  beat(session: RedisSession, steadyMs: number): Promise<void>;
}
