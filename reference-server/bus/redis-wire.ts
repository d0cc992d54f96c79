// What instances say to one another over Redis channels. Anybody who may publish there can say anything: what is not ours is dropped.
import { z } from 'zod';
import { guards } from '../guards.ts';
import { scanJson } from '../json-scan.ts';

/** Version of these messages: an instance drops those of another. */
export const wireVersion = 1;

/** Why a message was dropped. `unlogged`: it claims a place in a channel's log where the log has nothing of the kind. */
export type Dropped = 'malformed' | 'version' | 'prefix' | 'unknown' | 'unlogged';

export const dropReasons: readonly Dropped[] = ['malformed', 'version', 'prefix', 'unknown', 'unlogged'];

/** Far above what a message of at most 64 KiB becomes on its way. */
const maxLength = 1024 ** 2;

const uuid = z.uuid();
const offset = z.int().min(0);

export const channelWire = z.object({ e: uuid, o: offset.min(1), d: z.unknown() });

const presence = z.object({
  agentId: z.string(),
  status: z.enum(['online', 'idle', 'busy', 'offline']),
  detail: z.string().optional(),
});

export const presenceWire = z.object({ n: offset, a: presence });

export const revocationWire = z.object({ sub: z.string(), atMs: z.number() });

const request = { id: uuid, from: uuid, tenant: z.string(), untilMs: z.number() };

export const inboxWire = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('command'),
    ...request,
    command: z.object({
      commandId: z.string(),
      agentId: z.string(),
      command: z.string(),
      args: z.unknown().optional(),
    }),
  }),
  z.object({
    kind: z.literal('outcome'),
    ...request,
    outcome: z.object({
      commandId: z.string(),
      agentId: z.string(),
      status: z.enum(['ok', 'error', 'timeout']),
      result: z.unknown().optional(),
    }),
  }),
  z.object({ kind: z.literal('reply'), id: uuid, ok: z.boolean() }),
  z.object({ kind: z.literal('replaced'), handle: uuid }),
]);

export type InboxMessage = z.output<typeof inboxWire>;

/** As text, for instances of the same prefix. */
export function wireText(prefix: string, body: object): string {
  return JSON.stringify({ v: wireVersion, p: prefix, ...body });
}

/** Reads what came over a channel. Never throws. */
export function readWire<T>(
  schema: z.ZodType<T>,
  text: string,
  prefix: string,
): { ok: true; body: T } | { ok: false; why: Dropped } {
  const dropped = (why: Dropped) => ({ ok: false, why }) as const;
  if (text.length > maxLength) return dropped('malformed');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return dropped('malformed');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return dropped('malformed');
  const { v, p } = value as { v?: unknown; p?: unknown };
  if (v === undefined || p === undefined) return dropped('malformed');
  if (p !== prefix) return dropped('prefix');
  if (v !== wireVersion) return dropped('version');
  // Deeper than any client's message: JSON.stringify would throw where JSON.parse does not.
  if (scanJson(text).depth > guards.maxDepth + 8) return dropped('malformed');
  const parsed = schema.safeParse(value);
  return parsed.success ? { ok: true, body: parsed.data } : dropped('malformed');
}
