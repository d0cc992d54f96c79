// What everything is called in Redis. Keys are touched by scripts only; names are those of channels.
import { createHash } from 'node:crypto';
import { scoped } from './scoped.ts';

export class RedisNames {
  /** First part of everything, and what messages on channels are marked with. */
  readonly prefix: string;

  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** Instances that live, by the time (of Redis) at which they are given up. */
  get instances(): string {
    return `${this.prefix}:instances`;
  }

  /** Subjects and when they were revoked. */
  get revoked(): string {
    return `${this.prefix}:revoked`;
  }

  get revocations(): string {
    return `${this.prefix}:revocations`;
  }

  /** First part of the agents that each instance holds; the instance's id follows. */
  get held(): string {
    return `${this.prefix}:held:`;
  }

  /** First part of each instance's own channel. */
  get inboxes(): string {
    return `${this.prefix}:inbox:`;
  }

  /** First part of the agents of each tenant. */
  get agents(): string {
    return `${this.prefix}:agents:`;
  }

  /** First part of the number of changes of each tenant's agents. */
  get changes(): string {
    return `${this.prefix}:changes:`;
  }

  /** First part of the channel on which those are told. */
  get presence(): string {
    return `${this.prefix}:presence:`;
  }

  channel(tenant: string, channel: string): string {
    return `${this.prefix}:channel:${scoped(tenant, channel)}`;
  }

  /** Epoch and offset, the log, and who has how many subscribers. */
  channelKeys(tenant: string, channel: string): [meta: string, log: string, counts: string] {
    const name = this.channel(tenant, channel);
    return [`${name}:meta`, `${name}:log`, `${name}:counts`];
  }

  /** Of something that is known by a long text, in which subjects stand. */
  hashed(kind: 'once' | 'effect' | 'published' | 'gate' | 'seats' | 'parked', text: string): string {
    return `${this.prefix}:${kind}:${createHash('sha256').update(text).digest('base64url')}`;
  }
}
