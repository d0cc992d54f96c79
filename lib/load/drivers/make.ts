// The driver that a plan asks for.
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
 * Makes the driver of a plan.
 *
 * @throws WsbenchError `USAGE` for a proxy, local address, certificate or key that cannot be used
 */
export function makeDriver(plan: DriverPlan): Driver {
  if (plan.driver === 'ws') return createWsDriver();
  const { compress, fragmentBytes, localAddresses, proxy, clientCertificate, servername } = plan;
  return createNativeDriver({
    compress,
    fragmentBytes,
    localAddresses,
    ...(proxy === undefined ? {} : { proxy }),
    ...(clientCertificate === undefined ? {} : { clientCertificate }),
    ...(servername === undefined ? {} : { servername }),
  });
}
