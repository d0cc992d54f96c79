// What is offered of permessage-deflate, as it stands in the header.
import type { DeflateParameters } from '../protocol/deflate-negotiation.ts';

/** The offers, in the order in which they are preferred, each with its parameters as Autobahn orders them. RFC 7692 §7.1 */
export function offerHeader(offers: readonly DeflateParameters[]): string {
  return offers.map(offerText).join(', ');
}

function offerText(offer: DeflateParameters): string {
  const { clientMaxWindowBits: client, serverMaxWindowBits: server } = offer;
  return [
    'permessage-deflate',
    ...(offer.clientNoContextTakeover ? ['client_no_context_takeover'] : []),
    ...(client === undefined ? [] : [`client_max_window_bits${client === true ? '' : `=${client}`}`]),
    ...(offer.serverNoContextTakeover ? ['server_no_context_takeover'] : []),
    ...(server === undefined ? [] : [`server_max_window_bits=${server}`]),
  ].join('; ');
}
