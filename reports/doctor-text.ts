// What `doctor` found out, for a terminal: one line a finding, with what to do about it, and what it comes to.

import type { DoctorReport, FindingStatus } from '../lib/doctor/report.ts';
import { formatDuration } from '../lib/duration.ts';
import { count } from './figures.ts';
import { inkFor } from './ink.ts';
import type { ReportOptions } from './reporter.ts';

const marks = { ok: 'passed', warn: 'warned', fail: 'failed', unknown: 'skipped' } as const satisfies Record<
  FindingStatus,
  string
>;

const outcomes = {
  ready: ['passed', 'READY'],
  warned: ['inconclusive', 'READY, WITH WARNINGS'],
  inconclusive: ['failed', 'NOT FIT TO MEASURE'],
  interrupted: ['interrupted', 'INTERRUPTED'],
} as const;

const limits = { files: 'open files', ports: 'local ports', memory: 'memory' } as const;

/** The doctor's findings as text. */
export function doctorText(report: DoctorReport, options: ReportOptions): string {
  const ink = inkFor(options);
  const { host, findings, outcome } = report;
  const [colour, word] = outcomes[outcome];
  const labelWidth = Math.max(...findings.map(({ title }) => title.length)) + 2;
  const machine = [
    `${host.cpuModel}`,
    `${host.cpus} processors`,
    `${host.platform} ${host.arch}`,
    `wsbench ${report.wsbench}`,
  ];
  const lines = [
    '',
    `  ${ink.paint('bold', 'What this machine can drive')}${ink.dot}${ink.outcome(colour, word)} in ${formatDuration(report.durationMs)}`,
    '',
    ...ink.listed(
      '',
      machine.map((part) => ink.safe(part)),
      0,
    ),
    '',
  ];
  for (const { title, status, detail, advice } of findings) {
    const hang = '  '.padEnd(ink.markWidth + 2);
    const [first = '', ...rest] = ink.labelled(title, ink.safe(detail), labelWidth, hang);
    lines.push(`  ${ink.mark(marks[status])} ${first.slice(hang.length)}`, ...rest);
    if (advice === undefined) continue;
    lines.push(...ink.labelled('', `${ink.arrow} ${ink.safe(advice)}`, labelWidth, hang));
  }
  const sum = capacityWords(report);
  if (sum.length > 0) lines.push('', ...ink.listed('', sum, 0));
  return `${lines.join('\n')}\n`;
}

function capacityWords({ capacity, floor }: DoctorReport): string[] {
  const { connections, limitedBy, messagesPerSecond } = capacity;
  const parts: string[] = [];
  if (connections !== null && limitedBy !== null) {
    parts.push(`up to ${count(connections)} connections to one target (${limits[limitedBy]} are the limit)`);
  }
  if (messagesPerSecond !== null && floor !== null && messagesPerSecond > 0) {
    const more = floor.rate.endedBy === 'generator' ? 'up to' : 'at least';
    parts.push(`${more} ${count(messagesPerSecond)} msg/s with one worker`);
  }
  const [first, ...rest] = parts;
  return first === undefined ? [] : [`From here: ${first}`, ...rest];
}
