// The driver over our own protocol engine: made for load, and for what no library offers.
import { randomInt } from 'node:crypto';
import { type Address, speaksTls, tlsInstead } from '../../cause/speaks-tls.ts';
import type { DeflateParameters } from '../../protocol/deflate-negotiation.ts';
import { joinHeaders } from '../../target/headers.ts';
import {
  type OpenOptions,
  open,
  type TransportSink,
  type Connection as Wire,
} from '../../transport/connection.ts';
import { type Endpoint, endpointOf } from '../../transport/endpoint.ts';
import { allPorts, LocalPorts, type PortRange } from '../../transport/local-ports.ts';
import { proxyOf } from '../../transport/proxy.ts';
import { type TlsSettings, tlsSettings } from '../../transport/tls-settings.ts';
import type { UpgradeOptions } from '../../transport/upgrade.ts';
import { UpgradeMemory } from '../../transport/upgrade-memory.ts';
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
  const route = routes(compress);
  return {
    name: 'native',
    tellsReadEnds: true,
    open: (spec, sink) => {
      const start = (wire: TransportSink): Wire => {
        const { endpoint, upgrade } = route(spec);
        const { timeoutMs } = spec;
        const options = { ...common, timeoutMs, upgrade };
        return open(endpoint, endpoint.secure ? { ...options, tls: tls(spec) } : options, wire);
      };
      return new NativeConnection(spec.url, start, sink, shared);
    },
  };
}

/** Where a connection goes, and what it asks for there. */
interface Route {
  endpoint: Endpoint;
  upgrade: UpgradeOptions;
}

type Way = Pick<ConnectSpec, 'url' | 'headers' | 'subprotocols'>;

/** Reads where to go and what to ask for: of connections that want the same, once. */
function routes(compress: boolean): (way: Way) => Route {
  let last: Way | undefined;
  let known: Route | undefined;
  return ({ url, headers, subprotocols }) => {
    const isLast = last?.url === url && last.headers === headers && last.subprotocols === subprotocols;
    if (known && isLast) return known;
    known = {
      endpoint: endpointOf(url),
      upgrade: {
        headers: headersOf(headers, new URL(url)),
        subprotocols,
        subprotocolRequired: true,
        ...(compress ? { deflate: deflateOffer } : {}),
        memory: new UpgradeMemory(),
      },
    };
    last = { url, headers, subprotocols };
    return known;
  };
}

/** The headers, and what user and password of the URL come to, unless they say otherwise. RFC 7617 */
function headersOf(headers: ConnectSpec['headers'], { username, password }: URL): [string, string][] {
  const joined = Object.entries(joinHeaders(headers));
  const isGiven = joined.some(([name]) => name.toLowerCase() === 'authorization');
  if ((username === '' && password === '') || isGiven) return joined;
  const credential = Buffer.from(`${username}:${password}`).toString('base64');
  return [['Authorization', `Basic ${credential}`], ...joined];
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
  return (cause, stage, url) =>
    // Asked beside the proxy, another port might answer than the one that hung up.
    hasProxy || !url.startsWith('ws:') ? Promise.resolve(cause) : tlsInstead(cause, stage, url, ask);
}
