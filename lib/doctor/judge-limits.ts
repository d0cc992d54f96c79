// What limits and settings mean for load tests. Pure.
import { reserveFiles } from '../machine/open-files.ts';
import { allPorts } from '../transport/local-ports.ts';
import type { MachineFacts } from './facts.ts';
import type { Finding } from './report.ts';
import { bytes, count } from './words.ts';

// Fewer than a small load test asks for.
const fewConnections = 1000;
const fewPorts = 10_000;
const littleMemory = 256 * 1024 ** 2;
// What a burst of connects fills: the kernel's own default was this until Linux 5.4.
const shortBacklog = 512;

/** Findings about a machine's limits and settings. */
export function judgeLimits(machine: MachineFacts): Finding[] {
  return [
    runtime(machine),
    files(machine),
    ports(machine),
    processors(machine),
    memory(machine),
    sockets(machine),
    k6(machine),
  ];
}

/** Connections that the files left over allow; null: without limit, or unknown. */
export function connectionsOfFiles({ files: { soft, open } }: Pick<MachineFacts, 'files'>): number | null {
  return soft === null ? null : Math.max(0, soft - (open ?? 0) - reserveFiles);
}

/** Connections to one address and port that the system's range of local ports allows; null: unknown. */
export function portsEach({ ports: range }: Pick<MachineFacts, 'ports'>): number | null {
  return range === null ? null : Math.max(0, range.last - range.first + 1 - range.reserved);
}

function runtime({ runtime: { node, openssl, zlib } }: MachineFacts): Finding {
  const missing = [
    ...(openssl === null ? ['TLS (wss://)'] : []),
    ...(zlib === null ? ['zlib (--compress)'] : []),
  ];
  const has = [
    ...(openssl === null ? [] : [`OpenSSL ${openssl}`]),
    ...(zlib === null ? [] : [`zlib ${zlib}`]),
  ];
  const finding = { id: 'runtime', title: 'Node', detail: [`Node ${node}`, ...has].join(', ') };
  if (missing.length === 0) return { ...finding, status: 'ok' };
  const advice = `this Node was built without ${missing.join(' and ')}: use an official build`;
  return { ...finding, status: 'warn', advice };
}

function files(machine: MachineFacts): Finding {
  const { soft, hard, open } = machine.files;
  const finding = { id: 'files', title: 'Open files' };
  const most = connectionsOfFiles(machine);
  if (most === null || soft === null) {
    return { ...finding, status: 'unknown', detail: 'this system does not say how many there may be' };
  }
  const above = hard !== null && hard > soft ? ` (hard limit ${count(hard)})` : '';
  const used = open === null ? '' : `, ${count(open)} in use`;
  const detail = `${count(soft)}${above}${used}: room for ${count(most)} connections`;
  const raise =
    'raise `ulimit -n`, and where that is refused the hard limit (limits.conf, LimitNOFILE, --ulimit nofile)';
  if (most < 1) return { ...finding, status: 'fail', detail, advice: raise };
  return most < fewConnections
    ? { ...finding, status: 'warn', detail, advice: raise }
    : { ...finding, status: 'ok', detail };
}

function ports(machine: MachineFacts): Finding {
  const finding = { id: 'ports', title: 'Local ports' };
  const range = machine.ports;
  const most = portsEach(machine);
  if (range === null || most === null) {
    return { ...finding, status: 'unknown', detail: 'this system does not say which it gives out' };
  }
  const waiting = range.timeWait ?? 0;
  const detail =
    `${range.first}-${range.last}: ${count(most)} connections to one address and port` +
    `${range.reserved > 0 ? ` (${count(range.reserved)} reserved)` : ''}; ${count(waiting)} held by closed ones`;
  const own = count(allPorts.last - allPorts.first + 1);
  const more = `--local-address gives ${own} for each address that it names, such as 127.0.0.1,127.0.0.2`;
  if (most === 0) return { ...finding, status: 'fail', detail, advice: `widen net.ipv4.ip_local_port_range` };
  if (most < fewPorts)
    return { ...finding, status: 'warn', detail, advice: `widen net.ipv4.ip_local_port_range; ${more}` };
  if (waiting > most / 2) {
    const advice = `closed connections hold their port for a minute: wait before runs with many connections; ${more}`;
    return { ...finding, status: 'warn', detail, advice };
  }
  return { ...finding, status: 'ok', detail: `${detail}; ${more}` };
}

function processors({ processors: { cores, quota } }: MachineFacts): Finding {
  const finding = { id: 'processors', title: 'Processors' };
  const plural = cores === 1 ? '1 core' : `${count(cores)} cores`;
  const detail =
    quota === null ? plural : `${plural}, of which a quota allows ${Number(quota.toPrecision(3))}`;
  if (quota !== null && quota < 1) {
    const advice = `the quota stops wsbench in the middle of its work: raise it (cpu.max, --cpus) to at least one core`;
    return { ...finding, status: 'warn', detail, advice };
  }
  const usable = Math.min(cores, quota ?? cores);
  if (usable < 2) {
    const advice = 'a server on the same machine takes its time from the same core: put it on another one';
    return { ...finding, status: 'warn', detail, advice };
  }
  return { ...finding, status: 'ok', detail: `${detail}: -w ${Math.floor(usable)} uses them all` };
}

function memory({
  memory: { availableBytes, limitBytes, swapUsedBytes, strict, totalBytes },
}: MachineFacts): Finding {
  const finding = { id: 'memory', title: 'Memory' };
  const usable = Math.min(availableBytes, limitBytes ?? availableBytes);
  const detail = [
    `${bytes(availableBytes)} of ${bytes(totalBytes)} available`,
    ...(limitBytes === null ? [] : [`a limit of ${bytes(limitBytes)}`]),
    ...(swapUsedBytes === null || swapUsedBytes === 0 ? [] : [`${bytes(swapUsedBytes)} swapped out`]),
    ...(strict ? ['no overcommit'] : []),
  ].join(', ');
  if (usable < littleMemory) {
    const advice = 'too little for a large run, and swapping makes it late: free some, or raise the limit';
    return { ...finding, status: 'warn', detail, advice };
  }
  // Pages that were swapped out long ago harm nobody while there is room.
  if (swapUsedBytes !== null && swapUsedBytes > availableBytes) {
    const advice = 'more is swapped out than is free: what comes back from the disk comes late';
    return { ...finding, status: 'warn', detail, advice };
  }
  return { ...finding, status: 'ok', detail };
}

function sockets({ sockets: { receive, send, backlog, synBacklog } }: MachineFacts): Finding {
  const finding = { id: 'sockets', title: 'Sockets' };
  const parts = [
    ...(receive === null ? [] : [`receive buffers up to ${bytes(receive.max)}`]),
    ...(send === null ? [] : [`send buffers up to ${bytes(send.max)}`]),
    ...(backlog === null ? [] : [`backlog ${count(backlog)}`]),
    ...(synBacklog === null ? [] : [`SYN backlog ${count(synBacklog)}`]),
  ];
  if (parts.length === 0) return { ...finding, status: 'unknown', detail: 'this system does not say' };
  const detail = parts.join(', ');
  if (backlog !== null && backlog < shortBacklog) {
    const advice =
      'matters for servers on this machine: a burst of connects overflows it (net.core.somaxconn), or use --ramp-up';
    return { ...finding, status: 'warn', detail, advice };
  }
  return { ...finding, status: 'ok', detail };
}

function k6({ k6: found }: MachineFacts): Finding {
  const finding = { id: 'k6', title: 'k6' };
  if (found === null) {
    return {
      ...finding,
      status: 'ok',
      detail: 'not found: only needed for scenarios/k6 (WSBENCH_K6_BIN or PATH)',
    };
  }
  if (found.version === null) {
    const advice = 'WSBENCH_K6_BIN or PATH leads to something that does not answer `version` as k6 does';
    return { ...finding, status: 'warn', detail: found.path, advice };
  }
  return { ...finding, status: 'ok', detail: `${found.version} at ${found.path}` };
}
