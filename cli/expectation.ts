// What `connect --expect` asks of a message. Pure.
import { WsbenchError } from '../lib/errors.ts';
import { parseJson, pathOf, type Received, receivedText, valueAt } from '../lib/target/matcher.ts';

/** A condition on one message. */
export interface Expectation {
  /** As it was given. */
  text: string;
  isMetBy: (message: Received) => boolean;
}

/** How an expectation is written: its first character says of what kind it is. */
export const expectationHelp = `
What --expect takes; each waits for one message, those between are passed over:
  text             a message that contains it
  =text            a message that is exactly this
  ~regex           a message in which this regular expression finds something
  /pointer         a JSON message that has something there (RFC 6901)
  /pointer=value   a JSON message with this value there, such as /type=ACK or /payload/n=3`;

/**
 * Reads an expectation.
 *
 * @throws WsbenchError `USAGE` for an empty one or a broken regular expression
 */
export function parseExpectation(text: string): Expectation {
  if (text === '') throw new WsbenchError('USAGE', '--expect: there is nothing to expect in an empty text');
  return { text, isMetBy: conditionOf(text) };
}

function conditionOf(text: string): (message: Received) => boolean {
  if (text.startsWith('=')) return (message) => message.text === text.slice(1);
  if (text.startsWith('~')) {
    const pattern = regexOf(text.slice(1));
    return (message) => pattern.test(message.text);
  }
  if (!text.startsWith('/')) return (message) => message.text.includes(text);
  const sign = text.indexOf('=');
  const path = pathOf(sign < 0 ? text : text.slice(0, sign));
  if (sign < 0) return (message) => valueAt(message.body, path) !== undefined;
  const wanted = text.slice(sign + 1);
  const json = JSON.stringify(parseJson(wanted));
  // `=3` is the number and the text: who writes it on a command line means either.
  return (message) => {
    const value = valueAt(message.body, path);
    return value === wanted || (json !== undefined && JSON.stringify(value) === json);
  };
}

function regexOf(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch {
    throw new WsbenchError('USAGE', `--expect: "~${source}" is not a regular expression`);
  }
}

/** A message in the form that expectations look at; binary ones as the text that their bytes may be. */
export function asReceived(data: Buffer): Received {
  return receivedText(data.toString('utf8'));
}
