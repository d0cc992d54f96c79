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
  'driver' | 'compress' | 'fragmentBytes' | 'localAddresses' | 'proxy' | 'clientCertificate' | 'servername'
>;

/**
 * Makes the driver of a plan for a part of its connections.
 *
 * @throws WsbenchError `USAGE` for a proxy, local address, certificate or key that cannot be used
 */
export function makeDriver(plan: DriverPlan, part: Part = whole): Driver {
  if (plan.driver === 'ws') return createWsDriver();
  const { compress, fragmentBytes, localAddresses, proxy, clientCertificate, servername } = plan;
  return createNativeDriver({
    compress,
    fragmentBytes,
    localAddresses,
    localPortRange: portsOf(part),
    ...(proxy === undefined ? {} : { proxy }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(servername === undefined ? {} : { servername }),
  });
}

/** Each worker chooses among ports of its own, or it would find out at every bind which the others have. */
function portsOf({ worker, workers }: Part): PortRange {
  const size = Math.floor((allPorts.last - allPorts.first + 1) / workers);
  const first = allPorts.first + worker * size;
  return { first, last: first + size - 1 };
}
