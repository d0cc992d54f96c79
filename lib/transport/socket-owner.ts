// The events of a socket, told to whom it belongs: first to its dialling, then to its connection.
import type { Socket } from 'node:net';
import type { LocalEnd, LocalPorts } from './local-ports.ts';

/** Whom a socket belongs to. With TLS there are two sockets, so each call says which it is. */
export interface SocketOwner {
  lookedUp(error: Error | null): void;
  connected(socket: Socket): void;
  secured(socket: Socket): void;
  /** Only of sockets that are read as streams ({@link readAsStream}). */
  received(chunk: Buffer): void;
  ended(socket: Socket): void;
  drained(socket: Socket): void;
  broke(error: Error): void;
  closed(socket: Socket): void;
}

const ownerOf = Symbol('owner');
const leaseOf = Symbol('lease');

interface Owned extends Socket {
  [ownerOf]?: SocketOwner;
  [leaseOf]?: { ports: LocalPorts; end: LocalEnd };
}

/**
 * Gives a socket to an owner, who hears of its events until another gets it. The listeners are the same functions for all
 * sockets and are never taken off: closures of each socket's own would be a tenth of what a connection costs.
 */
export function own(socket: Socket, owner: SocketOwner): void {
  const owned: Owned = socket;
  const isNew = owned[ownerOf] === undefined;
  owned[ownerOf] = owner;
  if (!isNew) return;
  socket.on('connect', onConnect);
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
}

/** Also tells of the lookup of a name. */
export function hearLookup(socket: Socket): void {
  socket.on('lookup', onLookup);
}

/** Also tells of the end of a TLS handshake. */
export function hearSecured(socket: Socket): void {
  socket.on('secureConnect', onSecured);
}

/** Reads it as a stream: told once, whoever owns it then. */
export function readAsStream(socket: Socket): void {
  if (!socket.listeners('data').includes(onData)) socket.on('data', onData);
}

/** Gives a local end back when the socket is closed. */
export function leaseUntilClosed(socket: Socket, ports: LocalPorts, end: LocalEnd): void {
  (socket as Owned)[leaseOf] = { ports, end };
}

function onLookup(this: Owned, error: Error | null): void {
  this[ownerOf]?.lookedUp(error);
}

function onConnect(this: Owned): void {
  this[ownerOf]?.connected(this);
}

function onSecured(this: Owned): void {
  this[ownerOf]?.secured(this);
}

function onData(this: Owned, chunk: Buffer): void {
  this[ownerOf]?.received(chunk);
}

function onEnd(this: Owned): void {
  this[ownerOf]?.ended(this);
}

function onDrain(this: Owned): void {
  this[ownerOf]?.drained(this);
}

function onError(this: Owned, error: Error): void {
  this[ownerOf]?.broke(error);
}

function onClose(this: Owned): void {
  const lease = this[leaseOf];
  lease?.ports.release(lease.end);
  this[ownerOf]?.closed(this);
}
