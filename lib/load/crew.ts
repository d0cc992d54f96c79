// The engines of a run: what each has told, and which of them are lost.
import { failureRecords, mergeFailures } from '../result/failure-groups.ts';
import type { FailureRecord } from '../result/result.ts';
import type { EngineCommands, EngineReports, LoadPhase, ProbeReport, Settled } from './engine-contract.ts';
import { lastShare } from './last-share.ts';
import { emptyShare, mergeShares } from './merge.ts';
import type { StormState } from './reconnect/storm.ts';
import type { Hired, Recruit } from './recruit.ts';
import type { Share } from './share.ts';

/** An engine and what it told. */
export interface Member {
  readonly worker: number;
  engine: Hired | undefined;
  ready: boolean;
  share: Share | undefined;
  /** Messages a second that it sent lately. */
  sentPerSecond: number;
  settled: Settled | undefined;
  /** When it entered which phase. */
  phases: Partial<Record<LoadPhase, number>>;
  drained: boolean;
  finished: boolean;
  /** It is gone, and this is why. */
  lost: string | undefined;
}

/** What is told to the run as it is; the rest is kept by the crew. */
export interface CrewEvents extends Pick<EngineReports, 'warning' | 'bug'> {
  /** Something of what the crew keeps has changed. */
  changed(): void;
  lost(member: Member): void;
  tidings(worker: number, tidings: Parameters<EngineReports['tidings']>[0]): void;
}

/** The engines of a run. */
export class Crew {
  readonly members: readonly Member[];
  /** The latest about the probe. */
  probe: ProbeReport | undefined;

  readonly #events: CrewEvents;

  constructor(workers: number, recruit: Recruit, events: CrewEvents) {
    this.#events = events;
    this.members = Array.from({ length: workers }, (_, worker) => ({
      worker,
      engine: undefined,
      ready: false,
      share: undefined,
      sentPerSecond: 0,
      settled: undefined,
      phases: {},
      drained: false,
      finished: false,
      lost: undefined,
    }));
    for (const member of this.members) {
      member.engine = recruit(member.worker, this.#reportsOf(member), (why) => this.lose(member, why));
    }
  }

  /** Those that are not lost. */
  get present(): readonly Member[] {
    return this.members.filter((member) => member.lost === undefined);
  }

  /** Connections that were opened. */
  get opened(): number {
    return this.present.reduce((sum, { settled }) => sum + (settled?.opened ?? 0), 0);
  }

  /** Why connections did not open, the most frequent cause first. */
  get failures(): FailureRecord[] {
    return failureRecords(mergeFailures(this.present.flatMap(({ settled }) => settled?.failures ?? [])));
  }

  /** What all engines counted; of one that is lost, what it told last. */
  get shares(): Share[] {
    // The connections of an engine that is lost were asked for to the end. All engines have about the same number.
    const askedUs = Math.max(0, ...this.present.map(({ share }) => share?.askedUs ?? 0));
    return this.members.map((member) => {
      const share = member.share ?? emptyShare();
      if (member.lost === undefined) return share;
      return { ...lastShare(share), askedUs: Math.max(share.askedUs, askedUs) };
    });
  }

  /** Their sum. */
  get share(): Share {
    return mergeShares(this.shares);
  }

  /** How a storm goes, as far as the engines have told. */
  get storm(): StormState {
    const known = this.present.flatMap(({ share }) => share?.recovery ?? []);
    const sum = (of: 'lost' | 'away'): number => known.reduce((total, one) => total + one[of], 0);
    return {
      lost: sum('lost'),
      away: sum('away'),
      firstLostUs: Math.min(...known.map(({ firstLostUs }) => firstLostUs)),
      toldUs: Math.min(...this.present.map(({ share }) => share?.atUs ?? 0)),
      lastBackUs: Math.max(0, ...known.map(({ lastBackUs }) => lastBackUs)),
    };
  }

  /** Tells something to every engine. */
  tell(command: (engine: EngineCommands) => void): void {
    for (const { engine } of this.present) if (engine) command(engine);
  }

  /** Looks which engines are still alive. */
  watch(): void {
    for (const { engine, finished } of this.present) if (!finished) engine?.watch?.();
  }

  /** Ends what is left of the engines. */
  dispose(): void {
    for (const { engine } of this.members) engine?.dispose();
  }

  /** True when it holds for every engine that is not lost. */
  everyone(holds: (member: Member) => boolean): boolean {
    return this.present.every(holds);
  }

  /** When the last engine entered a phase; undefined: none did. */
  entered(phase: LoadPhase): number | undefined {
    const times = this.present.flatMap(({ phases }) => phases[phase] ?? []);
    return times.length > 0 ? Math.max(...times) : undefined;
  }

  /** An engine is gone: nobody waits for it any more. */
  lose(member: Member, why: string): void {
    if (member.lost !== undefined || member.finished) return;
    member.lost = why;
    member.engine?.dispose();
    this.#events.lost(member);
    this.#events.changed();
  }

  #reportsOf(member: Member): EngineReports {
    const { bug, changed, tidings, warning } = this.#events;
    const note = (what: Partial<Member>): void => {
      Object.assign(member, what);
      changed();
    };
    return {
      ready: () => note({ ready: true }),
      warning,
      bug,
      settled: (settled) => note({ settled }),
      probed: (report) => {
        this.probe = report;
        changed();
      },
      phase: (phase, atUs) => note({ phases: { ...member.phases, [phase]: atUs } }),
      drained: () => note({ drained: true }),
      tidings: (told) => {
        tidings(member.worker, told);
        note({ share: told.share, sentPerSecond: rateOf(member.share, told.share) });
      },
      finished: () => note({ finished: true }),
    };
  }
}

/** Messages a second between two shares of an engine. */
function rateOf(before: Share | undefined, { totalSent, atUs }: Share): number {
  return before && atUs > before.atUs ? ((totalSent - before.totalSent) * 1e6) / (atUs - before.atUs) : 0;
}
