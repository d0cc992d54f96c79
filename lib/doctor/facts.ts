// What can be said of a machine without measuring: limits and settings.
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { delimiter, join } from 'node:path';
import { cgroupLimits } from '../machine/cgroup.ts';
import { type MachineFiles, readNumber } from '../machine/files.ts';
import { memoryOf } from '../machine/memory.ts';
import { openFiles } from '../machine/open-files.ts';
import { portRange, timeWaitSockets } from '../machine/ports.ts';

/** Sizes that a socket's buffer may have, in bytes. */
export interface BufferSizes {
  min: number;
  standard: number;
  max: number;
}

/** Limits and settings; null: unknown, or without limit. */
export interface MachineFacts {
  /** Version of Node, and of what it brings along. */
  runtime: { node: string; openssl: string | null; zlib: string | null };
  files: { soft: number | null; hard: number | null; open: number | null };
  /** The system's range of local ports, and sockets that hold ports after their connection ended. */
  ports: { first: number; last: number; reserved: number; timeWait: number | null } | null;
  processors: {
    /** Processors that this process may run on. */
    cores: number;
    /** Cores' worth of time that a control group allows. */
    quota: number | null;
  };
  memory: {
    totalBytes: number;
    availableBytes: number;
    /** What a control group allows. */
    limitBytes: number | null;
    swapUsedBytes: number | null;
    strict: boolean;
  };
  sockets: {
    receive: BufferSizes | null;
    send: BufferSizes | null;
    /** Longest queue of connections that a server on this machine has not accepted yet. */
    backlog: number | null;
    synBacklog: number | null;
  };
  /** What the kernel takes the time from. */
  clockSource: string | null;
  /** The load generator k6, with which scenarios/k6 runs. */
  k6: { path: string; version: string | null } | null;
}

/**
 * Gathers them.
 *
 * @param env where `PATH` and `WSBENCH_K6_BIN` are looked up
 */
export async function machineFacts(
  files: MachineFiles,
  env: Readonly<Record<string, string | undefined>>,
): Promise<MachineFacts> {
  const { soft, hard, open } = openFiles(files);
  const range = portRange(files);
  const limits = cgroupLimits(files);
  const memory = memoryOf(files);
  const { swapTotal, swapFree } = memory;
  const { node, openssl, zlib } = process.versions as Record<string, string | undefined>;
  return {
    runtime: { node: node ?? 'unknown', openssl: openssl ?? null, zlib: zlib ?? null },
    files: { soft: soft ?? null, hard: hard ?? null, open: open ?? null },
    ports: range === undefined ? null : { ...range, timeWait: timeWaitSockets(files) ?? null },
    processors: { cores: availableParallelism(), quota: limits.cores ?? null },
    memory: {
      totalBytes: memory.total ?? totalmem(),
      availableBytes: memory.available ?? freemem(),
      limitBytes: limits.memoryBytes ?? null,
      swapUsedBytes: swapTotal === undefined || swapFree === undefined ? null : swapTotal - swapFree,
      strict: memory.strict,
    },
    sockets: {
      receive: bufferSizes(files.read('/proc/sys/net/ipv4/tcp_rmem')),
      send: bufferSizes(files.read('/proc/sys/net/ipv4/tcp_wmem')),
      backlog: readNumber(files, '/proc/sys/net/core/somaxconn') ?? null,
      synBacklog: readNumber(files, '/proc/sys/net/ipv4/tcp_max_syn_backlog') ?? null,
    },
    clockSource:
      files.read('/sys/devices/system/clocksource/clocksource0/current_clocksource')?.trim() || null,
    k6: await findK6(env),
  };
}

/** `min default max`, as the kernel writes them. */
export function bufferSizes(text: string | undefined): BufferSizes | null {
  const [, min, standard, max] = /^(\d+)\s+(\d+)\s+(\d+)/.exec(text ?? '') ?? [];
  if (max === undefined) return null;
  return { min: Number(min), standard: Number(standard), max: Number(max) };
}

async function findK6(env: Readonly<Record<string, string | undefined>>): Promise<MachineFacts['k6']> {
  const named = env.WSBENCH_K6_BIN;
  const candidates = named
    ? [named]
    : (env.PATH ?? '').split(delimiter).flatMap((folder) => (folder === '' ? [] : [join(folder, 'k6')]));
  const path = candidates.find(isProgram);
  return path === undefined ? null : { path, version: await k6Version(path) };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function k6Version(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(path, ['version'], { timeout: 5000, env: {} }, (_error, stdout) => {
      resolve(/\bv?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1] ?? null);
    });
  });
}
