// What the target's description says, for checks that need one.
import { invariant } from '../errors.ts';
import type { Target } from '../target/target.ts';
import type { Facts } from './facts.ts';

/**
 * The description.
 *
 * @throws WsbenchError `INTERNAL` when there is none: a check that asks for it needs the capability `request`
 */
export function describedTarget({ target }: Pick<Facts, 'target'>): Target {
  invariant(target, 'a check went by a description that is not there');
  return target;
}

/** The description of a target that is not ours; null for the reference protocol, whose WELCOME says more, and for none. */
export function otherTarget({ target, speaks }: Pick<Facts, 'target' | 'speaks'>): Target | null {
  return speaks === 'wsbench' ? null : target;
}
