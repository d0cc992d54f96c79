// Puts the parts of a run together, as its plan wants them.
import { randomBytes } from 'node:crypto';
import type { Warning } from '../result/result.ts';
import { placeholdersIn } from '../target/template.ts';
import { Attempts } from './attempts.ts';
import { connectSpec, tokenOf } from './connect-spec.ts';
import { Correlator } from './correlation.ts';
import { peakOf } from './course.ts';
import type { Driver } from './drivers/driver.ts';
import { makeDriver } from './drivers/make.ts';
import { Fleet } from './fleet.ts';
import { HealthProbe } from './health.ts';
import type { Lane } from './lane.ts';
import { Ledger } from './ledger.ts';
import { type Message, renderMessage } from './message.ts';
import { connectionsOf, type Part, whole } from './part.ts';
import type { StressPlan } from './plan.ts';
import { planWarnings } from './plan-warnings.ts';
import { connectPacer, firstConnections, mostConnections, rateCourse } from './profile.ts';
import { Recorder } from './recorder.ts';
import type { RenewalPlan } from './renewal.ts';
import { Session } from './session.ts';
import { SessionPlan } from './session-plan.ts';
import { type FreshTokens, TokenSource } from './tokens.ts';
import { Traffic } from './traffic.ts';

/** What a run works with. */
export interface Rig {
  part: Part;
  health: HealthProbe;
  recorder: Recorder;
  /**
   * Records the warm-up just as {@link recorder} does the measure phase, so that by then all code has run and is compiled.
   * Only what became of its messages is kept.
   */
  rehearsal: Recorder;
  ledger: Ledger;
  traffic: Traffic;
  fleet: Fleet;
  /** How tokens are renewed, if they are. */
  renewal: RenewalPlan | undefined;
  /** What is to be said of the plan. */
  warnings: Warning[];
}

const startEntries = 2 ** 16;
const mostEntries = 2 ** 22;

/** What the plan of a run leaves open. */
export interface RigOptions {
  /** What makes ids unique to the run ({@link idTag}). */
  tag: string;
  /** The part of the run that is wanted: all of it by default. */
  part?: Part;
  /** Carries the messages; the plan's by default. */
  driver?: Driver;
  /** How attempts to connect end in other parts of the run, too. */
  attempts?: Attempts;
  /** Where fresh tokens come from; the plan's by default. */
  tokens?: FreshTokens;
}

/** A tag for the ids of a run: servers remember ids for minutes. */
export function idTag(): string {
  return randomBytes(4).toString('hex');
}

/** Makes the parts of a run; nothing is connected yet. */
export function assemble(plan: StressPlan, options: RigOptions): Rig {
  const {
    tag,
    part = whole,
    attempts = new Attempts(),
    driver = makeDriver(plan, part),
    tokens = new TokenSource(plan.tokens, mostConnections(plan), plan.mint),
  } = options;
  const render = messageRenderer(plan, tag);
  const isPersonal = differsByConnection(plan);
  const message = render(plan.tokens[0], 0);
  const pings = message.by === 'pong';
  const dueWhenSent = plan.model === 'closed';
  const recorder = new Recorder(plan.durationMs * 1000, dueWhenSent);
  const rehearsal = new Recorder(plan.warmupMs * 1000, dueWhenSent, true);
  const ledger = new Ledger({
    connections: connectionsOf(part, mostConnections(plan)),
    timeoutUs: plan.timeoutMs * 1000,
    inOrder: message.by === 'order' || pings,
    entries: ringEntries(plan, part),
    maxEntries: mostEntries,
  });
  const { match, error, push, echoes } = plan.target;
  const traffic = new Traffic({
    template: message.template,
    correlator: new Correlator({ ...match, ...message, error, push }),
    ledger,
    recorder,
    rehearsal,
    echoes: echoes && !pings,
    repeats: 'repeats' in match && match.repeats,
    pings,
    dueWhenSent,
    part,
  });
  const spec = (number: number) => connectSpec(plan, number);
  const talk = new SessionPlan(plan, tokens);
  const session = talk.isEmpty
    ? undefined
    : (lane: Lane, owner: Fleet) =>
        new Session(lane, owner, talk, {
          token: tokenOf(plan, lane.number),
          connection: lane.number,
          // An echo is compared with the message as it is now, and one under way has the token of before.
          ...(isPersonal && !echoes
            ? { onToken: (token) => (lane.template = renderMessage(plan, tag, token, lane.number).template) }
            : {}),
        });
  const fleet = new Fleet(
    {
      driver,
      attempts,
      connections: mostConnections(plan),
      // One at least: the probe goes over it.
      first: Math.max(1, firstConnections(plan)),
      asked: firstConnections(plan),
      part,
      pacer: connectPacer(plan),
      reconnects: plan.reconnect !== undefined,
      timeoutMs: plan.timeoutMs,
      slowConsumers: plan.slowConsumers,
      pings: !pings,
      spec,
      session,
      template: isPersonal ? (number) => render(tokenOf(plan, number), number).template : undefined,
    },
    recorder,
    traffic,
  );
  const warnings = [...message.warnings, ...planWarnings(plan, message.template.bytes.length, Date.now())];
  const health = new HealthProbe(part.workers === 1);
  return { part, recorder, rehearsal, ledger, traffic, fleet, health, warnings, renewal: talk.renewal };
}

/** Renders the plan's message for a token and a connection, once for all that it is the same for. */
function messageRenderer(
  plan: StressPlan,
  tag: string,
): (token: string | undefined, connection: number) => Message {
  const byConnection = requestHolds(plan, /^connection$/);
  const rendered = new Map<string | undefined, Message>();
  return (token, connection) => {
    if (byConnection) return renderMessage(plan, tag, token, connection);
    const known = rendered.get(token) ?? renderMessage(plan, tag, token, connection);
    rendered.set(token, known);
    return known;
  };
}

/** True when the message is not the same on every connection. */
function differsByConnection(plan: StressPlan): boolean {
  return requestHolds(plan, /^connection$/) || (plan.tokens.length > 0 && requestHolds(plan, /^token\b/));
}

function requestHolds({ message, target }: StressPlan, what: RegExp): boolean {
  if (message instanceof Uint8Array) return false;
  return placeholdersIn(message ?? target.request).some(({ name }) => what.test(name));
}

/** Room for all that may be outstanding or remembered, so that the ring need not grow during the run. */
function ringEntries(plan: StressPlan, { workers }: Part): number {
  if (plan.model === 'closed') return startEntries;
  const wanted = 2.2 * (peakOf(rateCourse(plan)) / workers) * (plan.timeoutMs / 1000);
  return Math.min(mostEntries, 2 ** Math.ceil(Math.log2(Math.max(1024, wanted))));
}
