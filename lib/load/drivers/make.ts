// The driver that a plan asks for.
import type { StressPlan } from '../plan.ts';
import type { Driver } from './driver.ts';
import { createWsDriver } from './ws.ts';

/** Makes the driver of a plan. */
export function makeDriver(_plan: StressPlan): Driver {
  return createWsDriver();
}
