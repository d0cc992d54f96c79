// The reference server: a WebSocket service that is known to behave, to test against and to learn from.
export type { TokenOptions } from '../lib/token.ts';
export type { RedisOptions } from './bus/redis-settings.ts';
export type { ChildReply, ChildRequest } from './child.ts';
export { type ConfigFlags, configFromEnv, configKeys } from './config.ts';
export { type LimitsName, limitsNames } from './limits/presets.ts';
export type { AuthMode, Environment, Heartbeat, LogEntry, ServerOptions } from './options.ts';
export { createServer, type ReferenceServer } from './server.ts';
