// ECHO: the payload back, as it came.
import type { Handler } from './handler.ts';

export const echo: Handler<'ECHO'> = {
  access: 'anyone',
  handle: ({ payload }) => ({ type: 'ECHO', payload }),
};
