// Everything that a run counts and times.
import { zeroCounters } from '../metrics/counters.ts';
import { Histogram } from '../metrics/histogram.ts';
import type { Counters, TimeMetric } from '../metrics/names.ts';
import { timeMetrics } from '../metrics/names.ts';
import type { ConnectSplit } from './drivers/driver.ts';
import { SeriesRecorder } from './series.ts';

const waitedLongUs = 50_000;
const maxCodes = 50;

/** What became of messages that count nowhere else: those of the warm-up, and those of slow consumers. */
export interface AsideCounts {
  sent: number;
  unsent: number;
  matched: number;
  rejected: number;
  lost: number;
}

/** Counters, histograms and series of the messages of one phase. */
export class Recorder {
  readonly counters: Counters = zeroCounters();
  readonly times: Record<TimeMetric, Histogram>;
  readonly series: SeriesRecorder;
  /** What became of the measured messages of slow consumers, which count nowhere else. */
  readonly slow: AsideCounts = { sent: 0, unsent: 0, matched: 0, rejected: 0, lost: 0 };
  readonly unsentReasons = new Map<string, number>();
  readonly rejectionCodes = new Map<string, number>();
  /** All messages sent and received, of any kind, for the live view. */
  totalSent = 0;
  totalReceived = 0;
  /** Matched replies that arrived within the measure phase, to messages of the warm-up, too. */
  repliesInMeasure = 0;
  /** Messages that left more than 50 ms after they were due. */
  waitedLong = 0;
  /** The measure phase, known when the warm-up begins; infinite before that. */
  startUs = Number.POSITIVE_INFINITY;
  endUs = Number.POSITIVE_INFINITY;

  readonly #rtt = new Histogram();
  readonly #service: Histogram;
  readonly #sendLag = new Histogram();

  /**
   * @param durationUs length of the phase
   * @param dueWhenSent closed model: a message is due when it is sent, so its service time is its round trip
   * @param rehearses it is about a warm-up, and nobody will ask
   */
  constructor(durationUs: number, dueWhenSent = false, rehearses = false) {
    this.#service = dueWhenSent ? this.#rtt : new Histogram();
    this.times = {
      ...(Object.fromEntries(timeMetrics.map((name) => [name, new Histogram()])) as typeof this.times),
      rtt: this.#rtt,
      service: this.#service,
      send_lag: this.#sendLag,
    };
    this.series = new SeriesRecorder(durationUs, rehearses);
  }

  /** What became of all its messages. */
  get fates(): AsideCounts {
    const of = (fate: keyof AsideCounts): number => this.counters[`messages.${fate}`];
    return {
      sent: of('sent'),
      unsent: of('unsent'),
      matched: of('matched'),
      rejected: of('rejected'),
      lost: of('lost'),
    };
  }

  /** True from the beginning of the measure phase to the end of the run. */
  isMeasuring(atUs: number): boolean {
    return atUs >= this.startUs;
  }

  opened(split: ConnectSplit): void {
    this.times.connect.record(split.totalUs);
    if (split.dnsUs !== null) this.times['connect.dns'].record(split.dnsUs);
    this.times['connect.tcp'].record(split.tcpUs);
    if (split.tlsUs !== null) this.times['connect.tls'].record(split.tlsUs);
    this.times['connect.upgrade'].record(split.upgradeUs);
  }

  /** @param lagUs how late it was; null when it was due when it was sent */
  sent(bytes: number, atUs: number, lagUs: number | null): void {
    this.counters['messages.scheduled']++;
    this.counters['messages.sent']++;
    this.counters['bytes.sent'] += bytes;
    this.series.sent(atUs - this.startUs);
    if (lagUs === null) return;
    this.#sendLag.record(lagUs);
    if (lagUs > waitedLongUs) this.waitedLong++;
  }

  unsent(dueUs: number, reason: string): void {
    this.counters['messages.scheduled']++;
    this.counters['messages.unsent']++;
    this.series.count(dueUs - this.startUs, 'unsent');
    increment(this.unsentReasons, reason);
  }

  lost(dueUs: number): void {
    this.counters['messages.lost']++;
    this.series.count(dueUs - this.startUs, 'lost');
  }

  matched(dueUs: number, sentUs: number, atUs: number): void {
    const rttUs = atUs - dueUs;
    this.counters['messages.matched']++;
    this.#rtt.record(rttUs);
    if (this.#service !== this.#rtt) this.#service.record(atUs - sentUs);
    this.series.matched(dueUs - this.startUs, rttUs);
  }

  rejected(dueUs: number, code: string): void {
    this.counters['messages.rejected']++;
    this.series.count(dueUs - this.startUs, 'rejected');
    // Codes come from the peer: one that makes them up must not fill the memory.
    const known = this.rejectionCodes.has(code) || this.rejectionCodes.size < maxCodes;
    increment(this.rejectionCodes, known ? code.slice(0, 64) : 'others');
  }

  /** A message came, and what it was is counted by the caller. */
  received(bytes: number, atUs: number): void {
    this.counters['messages.received']++;
    this.counters['bytes.received'] += bytes;
    this.series.received(atUs - this.startUs);
  }

  /** A message of a slow consumer has met its fate. */
  slowConsumer(dueUs: number, fate: keyof AsideCounts): void {
    if (dueUs >= this.startUs && dueUs < this.endUs) this.slow[fate]++;
  }

  /** A matched reply of any kind came. */
  reply(atUs: number): void {
    // Both are looked at each time: what comes to pass for the first time is compiled anew, in the middle of a run.
    this.repliesInMeasure += Number(atUs >= this.startUs) * Number(atUs < this.endUs);
  }
}

function increment(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
