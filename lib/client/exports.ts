// What both entries export beside `createClient`.
export type { SubscribeOptions } from './channels.ts';
export type { Client, Published, RequestOptions } from './client.ts';
export { type CloseAction, type ClosePolicy, closePolicies } from './close-policy.ts';
export type { CommandResult } from './commands.ts';
export { ClientError, type ClientErrorCode, type ClientErrorDetails } from './errors.ts';
export type { ClientEvents } from './events.ts';
export type { HeartbeatTimes } from './heartbeat.ts';
export type { ServerMessage, Welcome } from './messages.ts';
export type { ClientOptions, TokenPlace } from './options.ts';
export type { Pool } from './pool.ts';
export type { EjectionReason, PoolEvents, PoolStatistics } from './pool-events.ts';
export type { AcquireOptions, Lease } from './pool-lease.ts';
export type { PoolOptions } from './pool-options.ts';
export { type ClientState, stateTransitions } from './states.ts';
export type { ChannelMessage, Gap, Position, Subscription, SubscriptionEvents } from './subscription.ts';
export type { TokenRequest, TokenSource } from './tokens.ts';
export type { SocketEnd } from './transport.ts';
