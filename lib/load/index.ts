// The load engine: a plan in, events and a result out.
export type {
  ClosedBy,
  Connection,
  ConnectSpec,
  ConnectSplit,
  Driver,
  FailureKind,
  Sink,
} from './drivers/driver.ts';
export { createNativeDriver } from './drivers/native.ts';
export { createWsDriver } from './drivers/ws.ts';
export { recoverRun } from './journal/recover.ts';
export { planRecord, type StressPlan } from './plan.ts';
export type { DriverModule } from './recruit.ts';
export { runStress } from './run.ts';
