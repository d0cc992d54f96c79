// Offering and accepting permessage-deflate. RFC 7692 §7.1
import type { DeflateDirection } from './deflate.ts';
import { type ExtensionElement, parseExtensions } from './header-list.ts';

export const deflateName = 'permessage-deflate';

/** The four parameters; what is left out has the RFC's default. */
export interface DeflateParameters {
  serverNoContextTakeover?: boolean;
  clientNoContextTakeover?: boolean;
  /** 8 to 15. */
  serverMaxWindowBits?: number;
  /** 8 to 15; true, in an offer only: the client takes whatever the server answers. */
  clientMaxWindowBits?: number | true;
}

/** What was agreed, as both directions see it. */
export interface DeflateAgreement {
  server: DeflateDirection;
  client: DeflateDirection;
}

/** An offer or answer as it stands in the header. */
export function deflateHeader(parameters: DeflateParameters): string {
  const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } =
    parameters;
  return [
    deflateName,
    ...(serverNoContextTakeover ? ['server_no_context_takeover'] : []),
    ...(clientNoContextTakeover ? ['client_no_context_takeover'] : []),
    ...(serverMaxWindowBits === undefined ? [] : [`server_max_window_bits=${serverMaxWindowBits}`]),
    ...(clientMaxWindowBits === undefined
      ? []
      : [
          clientMaxWindowBits === true
            ? 'client_max_window_bits'
            : `client_max_window_bits=${clientMaxWindowBits}`,
        ]),
  ].join('; ');
}

/** The parameters of one element, or what is wrong with them. §7.1: unknown, repeated and ill-valued ones are refused. */
export function readParameters(
  element: ExtensionElement,
  side: 'offer' | 'answer',
): DeflateParameters | { problem: string } {
  const seen = new Set<string>();
  const read: DeflateParameters = {};
  for (const [name, value] of element.parameters) {
    if (seen.has(name)) return { problem: `${name} is given twice` };
    seen.add(name);
    switch (name) {
      case 'server_no_context_takeover':
      case 'client_no_context_takeover':
        if (value !== true) return { problem: `${name} takes no value` };
        read[name === 'server_no_context_takeover' ? 'serverNoContextTakeover' : 'clientNoContextTakeover'] =
          true;
        break;
      case 'server_max_window_bits':
      case 'client_max_window_bits': {
        const mayBeBare = name === 'client_max_window_bits' && side === 'offer';
        const bits = value === true ? true : windowBits(value);
        if (bits === undefined || (bits === true && !mayBeBare)) {
          return { problem: `${name}=${value === true ? '' : value} is not 8 to 15` };
        }
        if (name === 'client_max_window_bits') read.clientMaxWindowBits = bits;
        else if (bits !== true) read.serverMaxWindowBits = bits;
        break;
      }
      default:
        return { problem: `${name} is no parameter of ${deflateName}` };
    }
  }
  return read;
}

/** §7.1.2: a decimal integer without leading zeros. */
function windowBits(text: string): number | undefined {
  return /^([89]|1[0-5])$/.test(text) ? Number(text) : undefined;
}

/** What both sides go by, once a server answered. */
export function agreementOf(answer: DeflateParameters): DeflateAgreement {
  const { serverNoContextTakeover = false, clientNoContextTakeover = false } = answer;
  const { serverMaxWindowBits = 15, clientMaxWindowBits = 15 } = answer;
  return {
    server: { windowBits: serverMaxWindowBits, contextTakeover: !serverNoContextTakeover },
    client: {
      windowBits: clientMaxWindowBits === true ? 15 : clientMaxWindowBits,
      contextTakeover: !clientNoContextTakeover,
    },
  };
}

/**
 * Judges a server's answer to our offer. Null: it declined. A problem fails the connection: §7.1 and RFC 6455 §4.1, and an
 * extension that was not offered, or one more than was offered, is one.
 *
 * @param offer `anything`: any legal answer will do, whether or not it keeps to what was offered
 */
export function judgeAnswer(
  header: string | undefined,
  offer: DeflateParameters | 'anything' | null,
): DeflateAgreement | null | { problem: string } {
  if (header === undefined) return null;
  const elements = parseExtensions(header);
  if (!elements) {
    return {
      problem: `Sec-WebSocket-Extensions does not follow its grammar: ${JSON.stringify(header.slice(0, 100))}`,
    };
  }
  if (elements.length === 0) return null;
  const [element] = elements;
  const foreign = elements.find(({ name }) => name !== deflateName);
  if (foreign) return { problem: `the extension ${foreign.name} was not offered` };
  if (!element || elements.length > 1)
    return { problem: `${deflateName} is answered ${elements.length} times` };
  if (!offer) return { problem: `the extension ${deflateName} was not offered` };
  const answer = readParameters(element, 'answer');
  if ('problem' in answer) return answer;
  if (offer === 'anything') return agreementOf(answer);
  // §7.1.1.1: what the client insisted on must be in the answer.
  if (offer.serverNoContextTakeover && !answer.serverNoContextTakeover) {
    return { problem: 'server_no_context_takeover was offered and is not in the answer' };
  }
  // §7.1.2.1: the answer may only be smaller.
  if (
    offer.serverMaxWindowBits !== undefined &&
    !((answer.serverMaxWindowBits ?? 16) <= offer.serverMaxWindowBits)
  ) {
    return {
      problem: `server_max_window_bits=${offer.serverMaxWindowBits} was offered, the answer does not keep to it`,
    };
  }
  // §7.1.2.2: only where the client said that it can.
  if (answer.clientMaxWindowBits !== undefined) {
    if (offer.clientMaxWindowBits === undefined) return { problem: 'client_max_window_bits was not offered' };
    const most = offer.clientMaxWindowBits === true ? 15 : offer.clientMaxWindowBits;
    if (answer.clientMaxWindowBits === true || answer.clientMaxWindowBits > most) {
      return { problem: `client_max_window_bits is larger than the ${most} that was offered` };
    }
  }
  return agreementOf(answer);
}

/** What a server prefers of what a client may offer. */
export interface DeflatePreferences {
  serverNoContextTakeover?: boolean;
  clientNoContextTakeover?: boolean;
  serverMaxWindowBits?: number;
  clientMaxWindowBits?: number;
}

/** A server's answer to the offers of a client: to the first that it can accept; null: to none. §7.1, §5 */
export function acceptOffer(
  header: string | undefined,
  prefer: DeflatePreferences = {},
): DeflateParameters | null {
  const elements = header === undefined ? [] : (parseExtensions(header) ?? []);
  for (const element of elements) {
    if (element.name !== deflateName) continue;
    const offer = readParameters(element, 'offer');
    if ('problem' in offer) continue;
    const answer: DeflateParameters = {};
    if (offer.serverNoContextTakeover || prefer.serverNoContextTakeover)
      answer.serverNoContextTakeover = true;
    if (offer.clientNoContextTakeover || prefer.clientNoContextTakeover)
      answer.clientNoContextTakeover = true;
    const serverBits = Math.min(offer.serverMaxWindowBits ?? 15, prefer.serverMaxWindowBits ?? 15);
    if (offer.serverMaxWindowBits !== undefined || serverBits < 15) answer.serverMaxWindowBits = serverBits;
    if (prefer.clientMaxWindowBits !== undefined) {
      // A client that did not offer it cannot be told to.
      if (offer.clientMaxWindowBits === undefined && prefer.clientMaxWindowBits < 15) continue;
      const most = typeof offer.clientMaxWindowBits === 'number' ? offer.clientMaxWindowBits : 15;
      if (offer.clientMaxWindowBits !== undefined)
        answer.clientMaxWindowBits = Math.min(most, prefer.clientMaxWindowBits);
    }
    return answer;
  }
  return null;
}
