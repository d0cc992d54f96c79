// The contract, kept by the native driver.
import { createNativeDriver } from '../../lib/load/index.ts';
import { testDriverContract } from './driver-contract.ts';

testDriverContract(() => createNativeDriver());
