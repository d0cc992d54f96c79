// The live view on stderr: one line that is redrawn on a terminal, a line each 5 s elsewhere.
import { formatDuration } from '../lib/duration.ts';
import type { RunEvent, Snapshot } from '../lib/result/events.ts';
import { redactText } from '../lib/result/redact.ts';
import { failsRun, verdictWords } from '../lib/result/verdicts.ts';
import { terminalStyle } from './finish.ts';
import { harmless, type Io, note } from './io.ts';

const plainIntervalMs = 5000;
const widestBar = 24;

/** Shows a run's events. */
export interface LiveView {
  show: (event: RunEvent) => void;
  /** Removes what is being redrawn. */
  end: () => void;
}

/** A live view that fits the terminal; silent when `quiet`. */
export function liveView(io: Io, quiet: boolean): LiveView {
  if (quiet) return { show: () => {}, end: () => {} };
  const fancy = io.stderr.isTTY === true && !io.env.CI && io.env.TERM !== 'dumb';
  return fancy ? redrawn(io) : plain(io);
}

function redrawn(io: Io): LiveView {
  const { unicode } = terminalStyle(io);
  const clear = (): boolean => io.stderr.write('\r\x1b[2K');
  const cases = new CaseProgress();
  return {
    show: (event) => {
      if (event.type === 'interval') {
        clear();
        const width = Math.max(20, (io.stderr.columns ?? 80) - 3);
        const words = snapshotLine(event.snapshot);
        io.stderr.write(
          `  ${withBar(words, event.snapshot, width - words.length - 2, unicode)}`.slice(0, width + 2),
        );
      } else if (event.type === 'warning') {
        clear();
        note(io, `  warning: ${event.warning.message}`);
      } else if (event.type === 'check') {
        clear();
        io.stderr.write(`  ${event.check.id}: ${event.check.status}`);
      } else if (event.type === 'verdict') {
        clear();
        const width = Math.max(20, (io.stderr.columns ?? 80) - 1);
        io.stderr.write(`  ${harmless(cases.line(event))}`.slice(0, width));
      }
    },
    end: clear,
  };
}

function plain(io: Io): LiveView {
  let lastMs = Number.NEGATIVE_INFINITY;
  let phase = '';
  const cases = new CaseProgress();
  return {
    show: (event) => {
      if (event.type === 'warning') note(io, `warning: ${event.warning.message}`);
      const nowMs = performance.now();
      if (event.type === 'verdict') {
        const line = cases.line(event);
        if (nowMs - lastMs < plainIntervalMs && event.done < event.total) return;
        lastMs = nowMs;
        note(io, line);
      }
      if (event.type !== 'interval') return;
      const { snapshot } = event;
      if (snapshot.phase === phase && nowMs - lastMs < plainIntervalMs - 100) return;
      lastMs = nowMs;
      phase = snapshot.phase;
      note(io, snapshotLine(snapshot));
    },
    end: () => {},
  };
}

/** One line about the cases so far. */
class CaseProgress {
  #bad = 0;

  line({ agent, verdict, done, total }: Extract<RunEvent, { type: 'verdict' }>): string {
    if (failsRun(verdict, 'failed')) this.#bad++;
    const bad = this.#bad === 0 ? '' : `  ${this.#bad} failed`;
    return `${done}/${total} cases${bad}  ${verdict.caseId} ${verdictWords(verdict)}  ${redactText(agent)}`;
  }
}

/** The words about a phase and, where there is room, a bar: the words matter more. */
function withBar(words: string, { elapsedMs, plannedMs }: Snapshot, room: number, unicode: boolean): string {
  const bar = Math.min(widestBar, room);
  if (bar < 8 || plannedMs === 0) return words;
  const filled = Math.round(Math.min(1, elapsedMs / plannedMs) * bar);
  const [full, empty] = unicode ? ['█', '░'] : ['#', '.'];
  return `${words}  ${full?.repeat(filled)}${empty?.repeat(bar - filled)}`;
}

/** One line about the last second of a run. */
export function snapshotLine(snapshot: Snapshot): string {
  const { phase, elapsedMs, plannedMs, connections } = snapshot;
  const elapsed = elapsedMs < 500 ? '0 s' : formatDuration(Math.round(elapsedMs / 1000) * 1000);
  const parts = [
    phase.padEnd(7),
    plannedMs > 0 ? `${elapsed}/${formatDuration(plannedMs)}` : elapsed,
    `${connections.open}/${connections.asked} open`,
  ];
  if (connections.failed > 0) parts.push(`${connections.failed} failed`);
  if (phase !== 'connect') {
    parts.push(`${Math.round(snapshot.receivedPerSecond)} msg/s`);
    if (snapshot.p99Ms !== null) parts.push(`p99 ${snapshot.p99Ms.toFixed(2)} ms`);
    parts.push(`${snapshot.errors} errors`);
  }
  return parts.join('  ');
}
