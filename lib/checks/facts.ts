// What is known about a target.
import type { Target } from '../target/target.ts';
import type { Welcome } from './message.ts';

/** What is known about the target, gathered as the run goes. */
export interface Facts {
  /** How the target talks; null when nothing is known. */
  target: Target | null;
  speaks: Target['speaks'] | null;
  /** The first WELCOME seen. */
  welcome: Welcome | null;
  timeoutMs: number;
  /** True when this very check was asked for by its id. */
  asked: boolean;
}
