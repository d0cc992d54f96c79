// The driver over our own protocol engine: made for load, and for what no library offers.
import { randomInt } from 'node:crypto';
import { type Address, speaksTls, tlsInstead } from '../../cause/speaks-tls.ts';
import type { DeflateParameters } from '../../protocol/deflate-negotiation.ts';
import { joinHeaders } from '../../target/headers.ts';
import type { OpenOptions } from '../../transport/connection.ts';
import { type Endpoint, endpointOf } from '../../transport/endpoint.ts';
import { allPorts, LocalPorts, type PortRange } from '../../transport/local-ports.ts';
import { proxyOf } from '../../transport/proxy.ts';
import { type TlsSettings, tlsSettings } from '../../transport/tls-settings.ts';
import { nowUs } from '../clock.ts';
import type { ConnectSpec, Driver } from './driver.ts';
import { sharedLookup } from './lookup.ts';
import { NativeConnection, type NativeShared } from './native-connection.ts';
import { SendQueue } from './native-queue.ts';
import { FrameRoom, viewOf } from './native-room.ts';

/** How a native driver carries messages. */
export interface NativeOptions {
  /**
   * Offer permessage-deflate (RFC 7692) as browsers do, and compress every message where the server agrees. Messages are
   * compressed when they are queued, so that the moment of the flush that follows is still when they were sent; compressing
   * counts as the generator's own delay.
   */
  compress?: boolean;
  /** Send messages in frames of so many payload bytes (compressed ones, where they are); 0 or left out: in one frame. */
  fragmentBytes?: number;
  /** Addresses of this machine to connect from, in turn, with ports of our own choice. */
  localAddresses?: readonly string[];
  /** The ports of our own choice: all by default. Drivers that share addresses should not share ports. */
  localPortRange?: PortRange;
  /** URL of a proxy, `http://` or `socks5://`. The time that its dialogue takes counts as part of `connect.tcp`. */
  proxy?: string;
  /** Certificate and private key to show to the target, PEM. */
  clientCertificate?: { cert: string; key: string; passphrase?: string };
  /** The name to ask for (SNI) and to look for in the certificate, where it is not that of the URL. */
  servername?: string;
}

// As browsers offer it: any answer is understood.
const deflateOffer: DeflateParameters = { clientMaxWindowBits: true };

/**
 * Makes a native driver. TLS settings, local ports, proxy, host names and the room that frames are written in are shared by its
 * connections.
 *
 * @throws WsbenchError `USAGE` for a proxy, local address, certificate or key that cannot be used
 */
export function createNativeDriver(options: NativeOptions = {}): Driver {
  const {
    localAddresses = [],
    localPortRange: range = allPorts,
    proxy,
    compress = false,
    fragmentBytes = 0,
  } = options;
  const tls = tlsBySpec(options);
  if (options.clientCertificate) tls({ insecure: false });
  const common: Omit<OpenOptions, 'timeoutMs'> = {
    lookup: sharedLookup() as never,
    nowUs,
    ...(proxy === undefined ? {} : { proxy: proxyOf(proxy) }),
    // Drivers of other processes draw from the same ports: they begin at different places.
    ...(localAddresses.length === 0
      ? {}
      : { localPorts: new LocalPorts(localAddresses, range, randomInt(1 + range.last - range.first)) }),
  };
  const shared: NativeShared = {
    queue: new SendQueue(),
    room: new FrameRoom(),
    fragmentBytes,
    view: lastingViews(),
    explain: tlsQuestion(proxy !== undefined),
  };
  const route = routes();
  return {
    name: 'native',
    tellsReadEnds: true,
    open: (spec, sink) => {
      const to = route(spec.url);
      const full = (): OpenOptions => ({
        ...common,
        ...(to instanceof Error || !to.endpoint.secure ? {} : { tls: tls(spec) }),
        timeoutMs: spec.timeoutMs,
        upgrade: {
          headers: headersOf(spec, to instanceof Error ? undefined : to.authorization),
          subprotocols: spec.subprotocols,
          subprotocolRequired: true,
          ...(compress ? { deflate: deflateOffer } : {}),
        },
      });
      return new NativeConnection(to instanceof Error ? to : to.endpoint, full, sink, shared);
    },
  };
}

interface Route {
  endpoint: Endpoint;
  /** From the user and password of the URL. */
  authorization: string | undefined;
}

/** Reads URLs, one after another the same. */
function routes(): (url: string) => Route | Error {
  let last: string | undefined;
  let known: Route | Error = new Error('no URL');
  return (url) => {
    if (url === last) return known;
    last = url;
    try {
      const { username, password } = new URL(url);
      const credential = Buffer.from(`${username}:${password}`).toString('base64');
      const authorization = username === '' && password === '' ? undefined : `Basic ${credential}`;
      known = { endpoint: endpointOf(url), authorization };
    } catch (error) {
      known = error instanceof Error ? error : new Error(String(error));
    }
    return known;
  };
}

function headersOf({ headers }: ConnectSpec, authorization: string | undefined): [string, string][] {
  const joined = Object.entries(joinHeaders(headers));
  const isGiven = joined.some(([name]) => name.toLowerCase() === 'authorization');
  return authorization === undefined || isGiven ? joined : [['Authorization', authorization], ...joined];
}

/** TLS settings for what a connection asks for, made once for all that ask for the same. */
function tlsBySpec({ clientCertificate, servername }: NativeOptions) {
  const known = new Map<string, TlsSettings>();
  return ({ insecure, caCertificates }: Pick<ConnectSpec, 'insecure' | 'caCertificates'>): TlsSettings => {
    const key = `${insecure} ${caCertificates ?? ''}`;
    const settings =
      known.get(key) ??
      tlsSettings({
        insecure,
        ...(caCertificates === undefined ? {} : { ca: caCertificates }),
        ...(servername === undefined ? {} : { servername }),
        ...clientCertificate,
      });
    known.set(key, settings);
    return settings;
  };
}

/** Views of templates: of those that are sent again and again, each is made once. */
function lastingViews(): (bytes: Uint8Array) => DataView {
  const known = new WeakMap<Uint8Array, DataView>();
  let last: Uint8Array | undefined;
  let view = viewOf(Buffer.alloc(0));
  return (bytes) => {
    if (bytes === last) return view;
    last = bytes;
    view = known.get(bytes) ?? viewOf(bytes);
    known.set(bytes, view);
    return view;
  };
}

/** Looks whether a port that hung up on plain text speaks TLS; asked once a port. */
function tlsQuestion(hasProxy: boolean): NativeShared['explain'] {
  const asked = new Map<string, Promise<boolean>>();
  const ask = (address: Address): Promise<boolean> => {
    const key = `${address.host} ${address.port}`;
    const answer = asked.get(key) ?? speaksTls(address);
    asked.set(key, answer);
    return answer;
  };
  return (cause, stage, { secure, host, port, socketPath }) =>
    // Asked beside the proxy, another port might answer than the one that hung up.
    secure || hasProxy || socketPath !== undefined
      ? Promise.resolve(cause)
      : tlsInstead(cause, stage, `ws://${host.includes(':') ? `[${host}]` : host}:${port}`, ask);
}
