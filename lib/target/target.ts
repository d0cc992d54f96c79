// How a target talks: the description that the load engine, the checks and the interactive client go by.
import { mistakesOf } from './mistakes.ts';
import { targetShape } from './shape.ts';

export { type CredentialPlace, credentialPlaces, type Step, type Target } from './shape.ts';

/** Schema of a target file (`*.target.yml`). */
export const targetSchema = targetShape
  // Told beside whatever else is wrong, not after it is right.
  .superRefine(
    (target, context) => mistakesOf(target, (issue) => context.addIssue({ code: 'custom', ...issue })),
    {
      when: ({ value }) => value !== null && typeof value === 'object',
    },
  )
  .meta({ title: 'wsbench target file', description: 'How a WebSocket server talks.' });
