// Puts the parts of a run together, as its plan wants them.
import { randomBytes } from 'node:crypto';
import type { Warning } from '../result/result.ts';
import { connectSpec, tokenOf } from './connect-spec.ts';
import { Correlator } from './correlation.ts';
import type { Driver } from './drivers/driver.ts';
import { Fleet } from './fleet.ts';
import type { Lane } from './lane.ts';
import { Ledger } from './ledger.ts';
import { renderMessage } from './message.ts';
import type { StressPlan } from './plan.ts';
import { Recorder } from './recorder.ts';
import { Session } from './session.ts';
import { SessionPlan } from './session-plan.ts';
import { Traffic } from './traffic.ts';

/** What a run works with. */
export interface Rig {
  recorder: Recorder;
  ledger: Ledger;
  traffic: Traffic;
  fleet: Fleet;
  /** What is to be said of the message. */
  warnings: Warning[];
}

const startEntries = 2 ** 16;
const mostEntries = 2 ** 22;

/** Makes the parts of a run; nothing is connected yet. */
export function assemble(plan: StressPlan, driver: Driver): Rig {
  const message = renderMessage(plan, randomBytes(4).toString('hex'));
  const recorder = new Recorder(plan.durationMs * 1000);
  const ledger = new Ledger({
    connections: plan.connections,
    timeoutUs: plan.timeoutMs * 1000,
    inOrder: message.by === 'order',
    entries: ringEntries(plan),
    maxEntries: mostEntries,
  });
  const { match, error, push, echoes } = plan.target;
  const pointer = match.by === 'id' ? match.pointer : undefined;
  const traffic = new Traffic({
    template: message.template,
    correlator: new Correlator({ ...message, pointer, error, push }),
    ledger,
    recorder,
    echoes,
    dueWhenSent: plan.model === 'closed',
  });
  const { connections, rampUpMs } = plan;
  const spec = (index: number) => connectSpec(plan, index);
  const talk = new SessionPlan(plan);
  const session = talk.isEmpty
    ? undefined
    : (lane: Lane, owner: Fleet) =>
        new Session(lane, owner, talk, { token: tokenOf(plan, lane.index), connection: lane.index });
  const fleet = new Fleet({ driver, connections, rampUpMs, spec, session }, recorder, traffic);
  return { recorder, ledger, traffic, fleet, warnings: message.warnings };
}

/** Room for all that may be outstanding or remembered, so that the ring need not grow during the run. */
function ringEntries({ model, ratePerSecond, timeoutMs }: StressPlan): number {
  if (model === 'closed') return startEntries;
  const wanted = 2.2 * ratePerSecond * (timeoutMs / 1000);
  return Math.min(mostEntries, 2 ** Math.ceil(Math.log2(Math.max(1024, wanted))));
}
