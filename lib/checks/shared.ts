// What the checks of one run share: numbers that no other connection or request has, and the budgets of limits.
import { performance } from 'node:perf_hooks';
import { Budget } from './budget.ts';
import { claimsOf } from './forge.ts';
import type { Welcome } from './message.ts';

/** The state that goes from check to check. */
export class Shared {
  readonly #budgets = new Map<string, Budget>();
  #connections = 0;
  #requests = 0;

  /** Number of the next connection, from 0. */
  nextConnection(): number {
    return this.#connections++;
  }

  /** Number of the next request, from 0. */
  nextRequest(): number {
    return this.#requests++;
  }

  /** The budget of a connection of the reference protocol, by what its WELCOME announced. */
  budgetOf({ sub, limits }: Welcome, token: string | undefined): Budget {
    // The server's bucket belongs to the subject (or, anonymously, to the address), not to the connection.
    // Who authenticates by message is still nobody in WELCOME.
    const key = sub ?? (token === undefined ? '' : String(claimsOf(token).sub));
    const budget = this.#budgets.get(key) ?? new Budget(limits, performance.now());
    this.#budgets.set(key, budget);
    return budget;
  }
}
