// The driver that a plan asks for.
import { allPorts, type PortRange } from '../../transport/local-ports.ts';
import { type Part, whole } from '../part.ts';
import type { StressPlan } from '../plan.ts';
import type { Driver } from './driver.ts';
import { createNativeDriver } from './native.ts';
import { createWsDriver } from './ws.ts';

/** What of a plan a driver goes by. */
export type DriverPlan = Pick<
  StressPlan,
  | 'url'
  | 'connections'
  | 'driver'
  | 'compress'
  | 'fragmentBytes'
  | 'localAddresses'
  | 'proxy'
  | 'clientCertificate'
  | 'servername'
>;

// Up to here the system finds a free port as fast as we do. The more of its range is taken, the longer it searches: with
// 18,000 of 28,000 ports that takes most of the time that opening them takes.
const mostSearched = 5000;

/**
 * Makes the driver of a plan for a part of its connections.
 *
 * @throws WsbenchError `USAGE` for a proxy, local address, certificate or key that cannot be used
 */
export function makeDriver(plan: DriverPlan, part: Part = whole): Driver {
  if (plan.driver === 'ws') return createWsDriver();
  const { compress, fragmentBytes, proxy, clientCertificate, servername } = plan;
  return createNativeDriver({
    compress,
    fragmentBytes,
    localAddresses: localAddressesOf(plan),
    localPortRange: portsOf(part),
    ...(proxy === undefined ? {} : { proxy }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(servername === undefined ? {} : { servername }),
  });
}

/**
 * The addresses to connect from, with ports of our own choice; none: the system chooses both. To the loopback interface there
 * is only one address to come from, so that of a large fleet need not be asked for.
 */
export function localAddressesOf({
  url,
  connections,
  localAddresses,
  proxy,
}: Pick<DriverPlan, 'url' | 'connections' | 'localAddresses' | 'proxy'>): readonly string[] {
  if (localAddresses.length > 0 || proxy !== undefined || connections <= mostSearched) return localAddresses;
  return /^wss?:\/\/127(\.\d+){3}(?![\w.-])/.test(url) ? ['127.0.0.1'] : [];
}

/** Each worker chooses among ports of its own, or it would find out at every bind which the others have. */
function portsOf({ worker, workers }: Part): PortRange {
  const size = Math.floor((allPorts.last - allPorts.first + 1) / workers);
  const first = allPorts.first + worker * size;
  return { first, last: first + size - 1 };
}
