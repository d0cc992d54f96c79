// One share of a run, in one thread: its connections, its messages, and the clock that drives them.
import { messageOf } from '../errors.ts';
import { redactText } from '../result/redact.ts';
import type { CloseRecord } from '../result/result.ts';
import { nowUs } from './clock.ts';
import type { EngineCommands, EngineReports } from './engine-contract.ts';
import type { Lane } from './lane.ts';
import { kinds } from './ledger.ts';
import { Load } from './load.ts';
import type { StressPlan } from './plan.ts';
import type { Rig } from './rig.ts';
import type { Share } from './share.ts';
import { silenceOf } from './silence.ts';
import { takeShare } from './take-share.ts';
import { Ticker } from './ticker.ts';

const tellEveryUs = 1e6;
const interruptedDrainUs = 5e6;
const closeWaitUs = 2.5e6;

/** Does what a run tells it with its part of the connections and messages. */
export class Engine implements EngineCommands {
  readonly #rig: Rig;
  readonly #reports: EngineReports;
  readonly #load: Load;
  readonly #ticker: Ticker;
  #connecting = false;
  #drains = false;
  #finished = false;
  #abandoned = false;
  #stoppedUs = Number.POSITIVE_INFINITY;
  #tellUs: number;
  /** The connection that the probe goes over, and what was told of it. */
  #probed: { lane: Lane | undefined; told: string } | undefined;

  /** @param startedUs when the run began: once a second from then on the engine tells what it counted */
  constructor(plan: StressPlan, rig: Rig, reports: EngineReports, startedUs: number) {
    this.#rig = rig;
    this.#reports = reports;
    this.#tellUs = startedUs + tellEveryUs;
    this.#ticker = new Ticker((atUs) => this.#tick(atUs), plan.spin);
    this.#load = new Load(plan, rig, (phase, atUs) => {
      if (phase === 'drain') this.#drains = true;
      reports.phase(phase, atUs);
    });
    const { fleet } = rig;
    // At once: what is told at the next tick may come after the phase has ended.
    rig.traffic.onProbe = () => this.#tellProbe();
    fleet.onChange = () => this.#ticker.wake();
    fleet.onError = (error) => this.#bug(error);
    // Warnings are about the plan, which is the same for all engines.
    if (rig.part.worker === 0) for (const warning of rig.warnings) reports.warning(warning);
    this.#ticker.start((error) => this.#bug(error));
  }

  connect(startUs: number): void {
    this.#do(async () => {
      const { fleet } = this.#rig;
      this.#connecting = true;
      fleet.start(startUs);
      await this.#ticker.until(() => fleet.settled || this.#isOver);
      this.#connecting = false;
      fleet.stopConnecting();
      const first = this.#prober();
      const opened = this.#rig.recorder.counters['connections.opened'];
      this.#reports.settled({
        opened,
        firstOpen: first?.number ?? Number.POSITIVE_INFINITY,
        failures: fleet.failures.data(),
      });
    });
  }

  probe(): void {
    this.#do(async () => {
      const { traffic } = this.#rig;
      const lane = this.#prober();
      this.#probed = { lane, told: '' };
      if (lane && !this.#isOver) {
        traffic.send(lane, nowUs(), kinds.probe);
        traffic.flush();
      }
      this.#tellProbe();
    });
  }

  begin(startUs: number): void {
    this.#do(async () => {
      const { fleet, ledger, traffic } = this.#rig;
      this.#probed = undefined;
      this.#load.begin(startUs);
      await this.#ticker.until(() => this.#drains || this.#isOver);
      if (!this.#drains) this.#load.end(this.#stoppedUs);
      await this.#ticker.until(
        (atUs) =>
          ledger.outstandingOf(kinds.measured) === 0 ||
          fleet.open === 0 ||
          this.#abandoned ||
          atUs >= this.#stoppedUs + interruptedDrainUs,
      );
      // With nobody left to answer, waiting for each timeout would change nothing.
      if (!this.#isOver && fleet.open === 0) traffic.sweep(Number.POSITIVE_INFINITY);
      this.#reports.drained();
    });
  }

  endAt(endUs: number): void {
    this.#load.endAt(endUs);
    this.#ticker.wake();
  }

  stop(atUs: number): void {
    this.#stoppedUs = Math.min(this.#stoppedUs, atUs);
    // At once, not at the next tick: replies that come in between must not call forth more messages.
    this.#load.stop();
    this.#ticker.wake();
  }

  abandon(): void {
    this.#abandoned = true;
    this.stop(nowUs());
  }

  finish(): void {
    this.#do(async () => {
      const { fleet, ledger, recorder } = this.#rig;
      const endUs = nowUs();
      this.#finished = true;
      // From here on nothing counts: what is heard while connections close says nothing of the load.
      fleet.end();
      fleet.stopConnecting();
      recorder.counters['messages.interrupted'] = ledger.outstandingOf(kinds.measured);
      const share = this.#share(endUs);
      const silence = silenceOf(fleet.lanes, endUs);
      if (this.#abandoned) fleet.abortAll();
      else fleet.closeAll();
      await this.#ticker.until((atUs) => fleet.open === 0 || this.#abandoned || atUs >= endUs + closeWaitUs);
      fleet.abortAll();
      await this.#ticker.until((atUs) => fleet.open === 0 || atUs >= endUs + 2 * closeWaitUs);
      const unansweredCloses = this.#abandoned ? 0 : fleet.unansweredCloses;
      this.#tell({ ...share, silence, unansweredCloses, closes: copied(fleet.closes) });
      this.dispose();
      this.#reports.finished();
    });
  }

  /** Gives back what the machine holds for it. */
  dispose(): void {
    this.#ticker.stop();
    this.#load.dispose();
  }

  get #isOver(): boolean {
    return this.#stoppedUs !== Number.POSITIVE_INFINITY;
  }

  /** The connection for the probe: one that reads at once, if there is any. */
  #prober(): Lane | undefined {
    const open = this.#rig.fleet.lanes.filter((lane) => lane.isOpen);
    return open.find((lane) => !lane.isSlow) ?? open[0];
  }

  #do(work: () => Promise<void>): void {
    work().catch((error) => this.#bug(error));
  }

  #bug(error: unknown): void {
    this.#reports.bug(redactText(messageOf(error)));
    this.abandon();
  }

  /** Does everything that is due. */
  #tick(atUs: number): number {
    const { fleet, traffic } = this.#rig;
    let nextUs = Number.POSITIVE_INFINITY;
    if (this.#connecting) {
      nextUs = fleet.connectDue(atUs);
    }
    if (this.#load.isOn && !this.#isOver) nextUs = this.#load.tick(atUs);
    if (this.#finished) return nextUs;
    traffic.sweep(atUs);
    fleet.slow.tick(atUs);
    this.#load.watch(atUs);
    this.#tellProbe();
    if (atUs >= this.#tellUs) {
      this.#tellUs += tellEveryUs * Math.ceil((atUs - this.#tellUs + 1) / tellEveryUs);
      this.#tell(this.#share(atUs));
    }
    return Math.min(nextUs, this.#tellUs);
  }

  #share(atUs: number): Share {
    return takeShare(this.#rig, this.#load, atUs);
  }

  #tell(share: Share): void {
    const { recorder, rehearsal } = this.#rig;
    // Nobody asks for it: it holds a histogram a second until it is told.
    rehearsal.series.news();
    this.#reports.tidings({ share, series: recorder.series.news() });
  }

  #tellProbe(): void {
    if (!this.#probed) return;
    const { fleet, traffic } = this.#rig;
    const { lane } = this.#probed;
    const isOpen = lane?.isOpen === true;
    const told = `${traffic.probe} ${isOpen}`;
    if (told === this.#probed.told) return;
    this.#probed.told = told;
    const [violation] = fleet.violations.records;
    const [close] = isOpen ? [] : fleet.closes;
    this.#reports.probed({
      probe: traffic.probe,
      isOpen,
      ...(traffic.unexpectedSample === undefined ? {} : { unexpectedSample: traffic.unexpectedSample }),
      ...(violation ? { violation: violation.detail } : {}),
      ...(close ? { close: { ...close } } : {}),
    });
  }
}

function copied(closes: readonly CloseRecord[]): CloseRecord[] {
  return closes.map((close) => ({ ...close }));
}
