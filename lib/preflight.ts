// Has this process the files and ports that a run needs? Asked before the run: half a fleet measures nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { WsbenchError } from './errors.ts';

// Reports, the saved run, name lookups, and whatever else a process opens in passing.
const reserveFiles = 16;

/** What this process may use. Undefined: unknown, or without limit. */
export interface ProcessLimits {
  /** The most files it may have open. */
  files?: number | undefined;
  /** Files that it has open. */
  openFiles?: number | undefined;
  /** Local ports that connections to one destination can have. */
  ports?: number | undefined;
  /** Where those ports are, when the user named the local addresses: `127.0.0.1:10000–65535`. */
  portsOf?: string | undefined;
}

/**
 * Why a number of connections to one destination cannot be opened and what to do about it, in one line; undefined when
 * nothing speaks against it. Pure.
 */
export function shortage(connections: number, limits: ProcessLimits): string | undefined {
  const { files, openFiles = 0, ports, portsOf } = limits;
  const needed = connections + openFiles + reserveFiles;
  if (files !== undefined && needed > files) {
    const most = files - openFiles - reserveFiles;
    return (
      `${connections} connections need ${needed} open files, and this process may have ${files}: ` +
      `raise \`ulimit -n\` (the hard limit, too)${most > 0 ? `, or use at most ${most} connections` : ''}`
    );
  }
  if (ports !== undefined && connections > ports) {
    if (portsOf !== undefined) {
      return (
        `${connections} connections to one address need as many local ports, and ${portsOf} has ${ports}: ` +
        `name more local addresses, or use at most ${ports} connections`
      );
    }
    return (
      `${connections} connections to one address need as many local ports, and this machine has ${ports}: ` +
      `widen net.ipv4.ip_local_port_range, or use at most ${ports} connections`
    );
  }
  return undefined;
}

/**
 * Refuses a run that this process has too few files or ports for. Only Linux is asked; elsewhere the run itself tells.
 *
 * @throws WsbenchError `RESOURCES`
 */
export function preflight(connections: number, limits: ProcessLimits = processLimits()): void {
  const short = shortage(connections, limits);
  if (short !== undefined) throw new WsbenchError('RESOURCES', short);
}

/**
 * What this process may use.
 *
 * @param own the local ports that connections go from, where they are chosen by us
 */
export function processLimits(own?: { size: number; describe(): string }): ProcessLimits {
  const chosen = own && { ports: own.size, portsOf: own.describe() };
  if (process.platform !== 'linux') return { ...chosen };
  return {
    files: fileLimit(tried(() => readFileSync('/proc/self/limits', 'utf8'))),
    openFiles: tried(() => readdirSync('/proc/self/fd').length),
    ports: portCount(tried(() => readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'))),
    ...chosen,
  };
}

/** The soft limit, which Node raises to the hard one when it starts. */
export function fileLimit(limits: string | undefined): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1];
  return soft === undefined ? undefined : Number(soft);
}

export function portCount(range: string | undefined): number | undefined {
  const bounds = /^(\d+)\s+(\d+)/.exec(range ?? '');
  return bounds ? Number(bounds[2]) - Number(bounds[1]) + 1 : undefined;
}

// A container may hide /proc.
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
