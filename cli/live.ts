// The live view on stderr: two lines that are redrawn on a terminal, a line each 5 s elsewhere.
import { formatDuration } from '../lib/duration.ts';
import type { RunEvent, Snapshot } from '../lib/result/events.ts';
import { redactText } from '../lib/result/redact.ts';
import { failsRun, verdictWords } from '../lib/result/verdicts.ts';
import { displayWidth, fit } from '../reports/width.ts';
import { terminalStyle } from './finish.ts';
import { harmless, type Io, note, showable } from './io.ts';
import { type LiveStyle, lastLines, liveLines } from './live-lines.ts';
import { heard, noState } from './live-state.ts';

const plainIntervalMs = 5000;

/** Shows a run's events. */
export interface LiveView {
  show: (event: RunEvent) => void;
  /** Ends what is being redrawn: what is worth keeping stays. */
  end: () => void;
}

/** A live view that fits the terminal; silent when `quiet`. */
export function liveView(io: Io, quiet: boolean, color = true): LiveView {
  if (quiet) return { show: () => {}, end: () => {} };
  const fancy = io.stderr.isTTY === true && !io.env.CI && io.env.TERM !== 'dumb';
  return fancy ? redrawn(io, color) : plain(io);
}

function redrawn(io: Io, color: boolean): LiveView {
  const { unicode, color: isColoured } = terminalStyle(io, color, io.stderr);
  // Asked for each time: the window may have been resized.
  const style = (): LiveStyle => ({
    width: Math.max(20, io.stderr.columns ?? 80),
    color: isColoured,
    unicode,
  });
  const fitted = (line: string): string => fit(showable(io, harmless(line)), style().width - 1, unicode);
  let state = noState(performance.now());
  let drawn: readonly string[] = [];
  const draw = (lines: readonly string[]): void => {
    io.stderr.write(`${erasing(drawn, style().width)}${lines.join('\n')}`);
    drawn = lines;
  };
  // What is said about a signal comes in between, and must not be erased.
  const onAbort = (): void => draw([]);
  io.signal.addEventListener('abort', onAbort, { once: true });
  const cases = new CaseProgress();
  return {
    show: (event) => {
      state = heard(state, event, performance.now());
      if (event.type === 'interval') {
        draw(liveLines(state, style()));
      } else if (event.type === 'warning') {
        const again = drawn;
        draw([]);
        note(io, `  warning: ${event.warning.message}`);
        draw(again);
      } else if (event.type === 'check') {
        draw([fitted(`  ${event.check.id}: ${event.check.status}`)]);
      } else if (event.type === 'verdict') {
        draw([fitted(`  ${cases.line(event)}`)]);
      }
    },
    end: () => {
      io.signal.removeEventListener('abort', onAbort);
      const lines = lastLines(state, style());
      draw(lines);
      if (lines.length > 0) io.stderr.write('\n\n');
    },
  };
}

/** What erases lines, the last of which the cursor stands in; in a window made narrower each may take several rows. */
function erasing(lines: readonly string[], columns: number): string {
  const rows = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(displayWidth(line) / columns)), 0);
  return `\r\x1b[2K${'\x1b[1A\x1b[2K'.repeat(Math.max(0, rows - 1))}`;
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

/** One line about the last second of a run. */
export function snapshotLine(snapshot: Snapshot): string {
  const { phase, elapsedMs, plannedMs, connections, returns } = snapshot;
  const elapsed = elapsedMs < 500 ? '0 s' : formatDuration(Math.round(elapsedMs / 1000) * 1000);
  const parts = [
    phase.padEnd(7),
    plannedMs > 0 ? `${elapsed}/${formatDuration(plannedMs)}` : elapsed,
    `${connections.open}/${connections.asked} open`,
  ];
  if (returns && returns.lost > 0) parts.push(`${returns.back}/${returns.lost} back`);
  if (connections.failed > 0) parts.push(`${connections.failed} failed`);
  if (phase !== 'connect') {
    parts.push(`${Math.round(snapshot.receivedPerSecond)} msg/s`);
    if (snapshot.p99Ms !== null) parts.push(`p99 ${snapshot.p99Ms.toFixed(2)} ms`);
    parts.push(`${snapshot.errors} errors`);
  }
  return parts.join('  ');
}
