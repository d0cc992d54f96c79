// Has this process the files and ports that a run needs? Asked before the run: half a fleet measures nothing.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { WsbenchError } from './errors.ts';
import { machineFiles } from './machine/files.ts';
import { openFiles, reserveFiles } from './machine/open-files.ts';
import { type Destination, portRange, reusesTimeWait, takenPorts } from './machine/ports.ts';
import { LocalPorts } from './transport/local-ports.ts';

// Each thread has an event loop of its own, which holds this many files.
const filesOfWorker = 4;

/** What a run needs. */
export interface Need {
  connections: number;
  /** Threads that share them; those beside the one that everything runs in need files, too. */
  workers?: number;
}

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
  /** How many of them cannot be had now: by open connections, and by closed ones that hold theirs for a minute. */
  portsInUse?: number | undefined;
  portsResting?: number | undefined;
}

/** Why a number of connections to one destination cannot be opened and what to do about it, a line each. Pure. */
export function shortages({ connections, workers = 1 }: Need, limits: ProcessLimits): string[] {
  return [...tooFewFiles(connections, workers, limits), ...tooFewPorts(connections, limits)];
}

function tooFewFiles(
  connections: number,
  workers: number,
  { files, openFiles = 0 }: ProcessLimits,
): string[] {
  const ofWorkers = workers > 1 ? workers * filesOfWorker : 0;
  const needed = connections + openFiles + ofWorkers + reserveFiles;
  if (files === undefined || needed <= files) return [];
  const most = files - openFiles - ofWorkers - reserveFiles;
  const what =
    workers > 1 ? `${connections} connections over ${workers} workers` : `${connections} connections`;
  return [
    `${what} need ${needed} open files, and this process may have ${files}: ` +
      `raise \`ulimit -n\` (the hard limit, too)${most > 0 ? `, or use at most ${most} connections` : ''}`,
  ];
}

function tooFewPorts(connections: number, limits: ProcessLimits): string[] {
  const { ports, portsOf, portsInUse = 0, portsResting = 0 } = limits;
  if (ports === undefined) return [];
  const most = Math.max(0, ports - portsInUse - portsResting);
  if (connections <= most) return [];
  const taken = [
    ...(portsInUse > 0 ? [`${portsInUse} in use`] : []),
    ...(portsResting > 0 ? [`${portsResting} held for a minute by closed connections`] : []),
  ];
  const has = `has ${ports}${taken.length > 0 ? ` (${taken.join(', ')})` : ''}`;
  const ways = [
    ...(portsResting > 0 && connections <= ports ? ['wait a minute'] : []),
    portsOf === undefined
      ? 'name local addresses (--local-address a,b), widen net.ipv4.ip_local_port_range'
      : 'name more local addresses',
    ...(most > 0 ? [`or use at most ${most} connections`] : []),
  ];
  return [
    `${connections} connections to one address need as many local ports, and ${portsOf ?? 'this machine'} ${has}: ${ways.join(', ')}`,
  ];
}

/** How a run's connections go. */
export interface Way {
  /** Where to; undefined: to a server that is still to be started. */
  url: string | undefined;
  proxy?: string | undefined;
  /** Addresses to go from; none: the system chooses. */
  localAddresses?: readonly string[] | undefined;
}

// Below this share of the ports it is not worth asking which of them are taken.
const fewOfPorts = 0.1;

/**
 * Refuses a run that this process has too few files or ports for. Only Linux is asked; elsewhere the run itself tells.
 *
 * @throws WsbenchError `RESOURCES` with all that is missing, in one line; `USAGE` for a local address that is none
 */
export async function preflight(
  need: Need,
  { url, proxy, localAddresses = [] }: Way,
  files = machineFiles,
): Promise<void> {
  const own = localAddresses.length === 0 ? undefined : new LocalPorts(localAddresses);
  let limits = processLimits(own, undefined, files);
  if (url !== undefined && need.connections > fewOfPorts * (limits.ports ?? Number.POSITIVE_INFINITY)) {
    limits = processLimits(own, await destinationOf(url, proxy), files);
  }
  const short = shortages(need, limits);
  if (short.length > 0) throw new WsbenchError('RESOURCES', short.join('; and '));
}

/**
 * What this process may use.
 *
 * @param own the local ports that connections go from, where they are chosen by us
 * @param destination where they go: ports that are taken for it count
 */
export function processLimits(
  own: { size: number; describe(): string } | undefined,
  destination: Destination | undefined,
  files = machineFiles,
): ProcessLimits {
  const { soft, open } = openFiles(files);
  const range = portRange(files);
  const systems = range === undefined ? undefined : range.last - range.first + 1 - range.reserved;
  const taken = destination === undefined ? undefined : takenPorts(files, destination);
  const isReused = destination === undefined || reusesTimeWait(files, destination);
  return {
    files: soft,
    openFiles: open,
    ports: own?.size ?? systems,
    portsOf: own?.describe(),
    portsInUse: taken?.inUse,
    portsResting: isReused ? 0 : taken?.timeWait,
  };
}

/**
 * The addresses that connections to a URL go to, or to the proxy before it. Undefined: not known here, which the run will
 * tell of in its own words.
 */
export async function destinationOf(
  url: string,
  proxy: string | undefined,
): Promise<Destination | undefined> {
  const to = proxy ?? url;
  if (!URL.canParse(to)) return undefined;
  const { hostname, port, protocol } = new URL(to);
  const host = hostname.replace(/^\[|\]$/g, '');
  if (host === '') return undefined;
  const usual: Record<string, number> = { 'wss:': 443, 'https:': 443, 'socks5:': 1080, 'socks5h:': 1080 };
  const number = port === '' ? (usual[protocol] ?? 80) : Number(port);
  if (isIP(host) !== 0) return { addresses: [host], port: number };
  try {
    const found = await lookup(host, { all: true });
    return { addresses: found.map(({ address }) => address), port: number };
  } catch {
    return undefined;
  }
}
