// The contract, kept by the ws driver.
import { createWsDriver } from '../../lib/load/index.ts';
import { testDriverContract } from './driver-contract.ts';

testDriverContract(createWsDriver);
