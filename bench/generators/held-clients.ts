// Opens connections of many users from many addresses, holds them, and tells which of them ended.
import { createNativeDriver } from '../../lib/load/drivers/native.ts';
import { mintToken } from '../../lib/token.ts';
import { askedLoad } from './load.ts';

/** What is to be held. */
export interface HeldLoad {
  url: string;
  connections: number;
  connectionsPerUser: number;
  perSecond: number;
  /** What the tokens are signed with. */
  secret: string;
  /** Told apart from those of other processes: they use other users and addresses. */
  group: number;
}

/** What is told once all are open, and again for every line on stdin. */
export interface HeldReport {
  open: number;
  failed: number;
  closed: number;
  /** Why, the first few. */
  reasons: string[];
  /** Messages that came, most of them PINGs. */
  messages: number;
}

const { url, connections, connectionsPerUser, perSecond, secret, group } = askedLoad<HeldLoad>();
const report: HeldReport = { open: 0, failed: 0, closed: 0, reasons: [], messages: 0 };
const users = Math.ceil(connections / connectionsPerUser);
// One address a user, so that the limits of a public server hold nobody up. All of 127/8 is loopback.
const localAddresses = Array.from({ length: users }, (_, n) => `127.${1 + group}.${1 + (n >> 8)}.${n & 255}`);
const driver = createNativeDriver({ localAddresses });
const tokens = await Promise.all(
  localAddresses.map((_, n) => mintToken({ secret }, { sub: `user-${group}-${n}`, roles: ['dashboard'] })),
);

function because(reason: string): void {
  if (report.reasons.length < 5) report.reasons.push(reason);
}

function open(index: number): Promise<void> {
  return new Promise((resolve) => {
    const headers = [['authorization', `Bearer ${tokens[index % users]}`]] as const;
    driver.open(
      { url, headers, subprotocols: [], timeoutMs: 30_000, insecure: false },
      {
        opened: () => {
          report.open++;
          resolve();
        },
        message: () => {
          report.messages++;
        },
        pong: () => {},
        closed: (code, _by, _clean, reason) => {
          report.open--;
          report.closed++;
          because(`${code} ${reason}`);
        },
        failed: (kind, detail) => {
          report.failed++;
          because(`${kind}: ${detail}`);
          resolve();
        },
      },
    );
  });
}

const everyMs = 20;
const startMs = performance.now();
const pending: Promise<void>[] = [];
while (pending.length < connections) {
  const due = Math.min(connections, Math.ceil(((performance.now() - startMs) * perSecond) / 1000));
  while (pending.length < due) pending.push(open(pending.length));
  await new Promise((resolve) => setTimeout(resolve, everyMs));
}
await Promise.all(pending);
const say = (): boolean => process.stdout.write(`${JSON.stringify(report)}\n`);
say();
process.stdin.on('data', say);
process.stdin.on('end', () => process.exit());
