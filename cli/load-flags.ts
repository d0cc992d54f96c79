// The options of `stress` that say how much load there is, and when.
import { type Command, Option } from 'commander';
import {
  parseCount,
  parseDurationMs,
  parseDurationRange,
  parseRatePerSecond,
  parseShare,
} from '../lib/duration.ts';
import type { LoadOptions } from '../lib/load-options.ts';
import { type ReconnectPolicy, reconnectPolicies } from '../lib/scenario/reconnect.ts';
import { type Shape, shapeNames } from '../lib/scenario/shapes.ts';
import { parseStage } from '../lib/scenario/stages.ts';
import { collect } from './options.ts';

/** Raw values of the options of {@link loadFlags}. */
export interface LoadFlags {
  connections?: string;
  rate?: string;
  ratePerConnection?: string;
  duration?: string;
  messages?: string;
  shape?: string;
  stage?: string[];
  rampUp?: string;
  connectRate?: string;
  churn?: string;
  messagesPerConnection?: string;
  closed?: boolean;
  depth?: string;
  thinkTime?: string;
  poisson?: boolean;
  slowConsumers?: string;
  reconnect?: string;
}

/** Adds the options that say how much load there is. */
export function loadFlags(command: Command): Command {
  return command
    .optionsGroup('Load:')
    .option('-c, --connections <n>', 'connections (default 10)')
    .option('-r, --rate <n/s>', 'messages per second over all connections (default 100/s)')
    .option('--rate-per-connection <n/s>', 'messages per second on each connection instead')
    .option('-d, --duration <time>', 'length of the measure phase (default 30s)')
    .option('-n, --messages <n>', 'end the measure phase when so many were scheduled')
    .addOption(new Option('--shape <name>', 'how the load changes over that time').choices(shapeNames))
    .option('--stage <time:what>', 'a stage, such as 30s:rate=5k/s,connections=200 (repeatable)', collect)
    .option('--warmup <time>', 'load before the measure phase (default 1s)')
    .option('--poisson', 'random arrivals at the same mean rate, from the seed')
    .option('--closed', 'closed model: the next message when the reply came')
    .option('--depth <n>', 'messages in flight per connection with --closed (default 1)')
    .option('--think-time <time>', 'pause before the next message with --closed, 1s or 100ms-500ms')
    .optionsGroup('Connections:')
    .option('--ramp-up <time>', 'spread the connects over this time')
    .option('--connect-rate <n/s>', 'open so many connections a second instead')
    .option('--churn <n/s>', 'replace so many connections a second by fresh ones, the oldest first')
    .option('--messages-per-connection <n>', 'replace a connection after so many messages')
    .option('--slow-consumers <share>', 'share of the connections that read slowly, such as 5%')
    .addOption(new Option('--reconnect <policy>', 'lost connections come back').choices(reconnectPolicies));
}

/**
 * Reads the options of {@link loadFlags}.
 *
 * @throws WsbenchError `USAGE` for values that are none
 */
export function loadOptions(flags: LoadFlags): LoadOptions {
  const options: LoadOptions = {};
  const { connections, rate, ratePerConnection, duration, messages, shape, stage } = flags;
  if (connections !== undefined) options.connections = parseCount(connections, '--connections');
  if (rate !== undefined) options.ratePerSecond = parseRatePerSecond(rate, '--rate');
  if (ratePerConnection !== undefined) {
    options.ratePerConnection = parseRatePerSecond(ratePerConnection, '--rate-per-connection');
  }
  if (duration !== undefined) options.durationMs = parseDurationMs(duration, '--duration');
  if (messages !== undefined) options.messages = parseCount(messages, '--messages');
  if (shape !== undefined) options.shape = shape as Shape;
  if (stage !== undefined) options.stages = stage.map((text) => parseStage(text));
  if (flags.closed) options.model = 'closed';
  if (flags.depth !== undefined) options.depth = parseCount(flags.depth, '--depth');
  if (flags.thinkTime !== undefined)
    options.thinkTimeMs = parseDurationRange(flags.thinkTime, '--think-time');
  if (flags.poisson) options.arrival = 'poisson';
  return Object.assign(options, connectionOptions(flags));
}

function connectionOptions(flags: LoadFlags): LoadOptions {
  const { rampUp, connectRate, churn, messagesPerConnection, slowConsumers, reconnect } = flags;
  const options: LoadOptions = {};
  if (rampUp !== undefined) options.rampUpMs = parseDurationMs(rampUp, '--ramp-up');
  if (connectRate !== undefined) {
    options.connectRatePerSecond = parseRatePerSecond(connectRate, '--connect-rate');
  }
  if (churn !== undefined) options.churnPerSecond = parseRatePerSecond(churn, '--churn');
  if (messagesPerConnection !== undefined) {
    options.messagesPerConnection = parseCount(messagesPerConnection, '--messages-per-connection');
  }
  if (reconnect !== undefined) options.reconnect = reconnect as ReconnectPolicy;
  if (slowConsumers !== undefined) options.slowConsumers = parseShare(slowConsumers, '--slow-consumers');
  return options;
}
