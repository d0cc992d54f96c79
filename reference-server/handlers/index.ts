// Every client type and its handler. To add a type: its schema in messages.ts, and an entry here.
import type { ClientType } from '../messages.ts';
import { agentConnect, agentStatus, commandResult } from './agent.ts';
import { command, dashboardConnect } from './dashboard.ts';
import { echo } from './echo.ts';
import type { Handler } from './handler.ts';
import { ping, pong } from './heartbeat.ts';
import { publish, subscribe, unsubscribe } from './messaging.ts';
import { auth } from './session.ts';

export const handlers: { readonly [T in ClientType]: Handler<T> } = {
  PING: ping,
  PONG: pong,
  ECHO: echo,
  AUTH: auth,
  DASHBOARD_CONNECT: dashboardConnect,
  SUBSCRIBE: subscribe,
  UNSUBSCRIBE: unsubscribe,
  COMMAND: command,
  PUBLISH: publish,
  AGENT_CONNECT: agentConnect,
  AGENT_STATUS: agentStatus,
  COMMAND_RESULT: commandResult,
};
