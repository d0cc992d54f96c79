// What docs/asyncapi.yaml says beside the schemas: one line for each message, endpoint and refusal. The rules are in docs/protocol.md.
import type { acks, ClientType, ServerType } from '../reference-server/messages.ts';

type Words<T extends string> = { readonly [K in T]: string };

export const clientWords: Words<ClientType> = {
  PING: 'Asks whether the server is there. Answered by PONG.',
  PONG: 'Answers a PING of the server, with its id. Never answered itself.',
  ECHO: 'Asks for its payload back.',
  AUTH: 'A token: the first one of an anonymous connection, or a fresh one for the same subject and tenant.',
  DASHBOARD_CONNECT: 'From here on the connection is told of every change of an agent of its tenant.',
  SUBSCRIBE: 'Asks for the messages of a channel, from now on or since one that was seen.',
  UNSUBSCRIBE: 'Asks for no more messages of a channel.',
  COMMAND: 'A command for an agent.',
  PUBLISH: 'Data for the subscribers of a channel.',
  AGENT_CONNECT: 'This connection is the agent of that id, and any older one is not any more.',
  AGENT_STATUS: 'What the agent is doing.',
  COMMAND_RESULT: 'What came of a command.',
};

export const serverWords: Words<Exclude<ServerType, 'ACK'>> = {
  WELCOME: 'The first message on every connection: who it speaks for, and the limits in force.',
  PING: 'Must be answered within the timeout that WELCOME announced, or the connection is closed with 4408.',
  PONG: 'Answers a PING, with its id.',
  ECHO: 'Answers an ECHO, with its id and payload.',
  ERROR: 'What was asked did not happen. Without an id when the message had none or could not be read.',
  TOKEN_EXPIRING: 'The token ends soon; AUTH with a fresh one keeps the connection.',
  DRAIN: 'The server goes away. Come back at a random time within the window.',
  GAP: 'Messages of a channel are missing before what follows: fetch the state anew.',
  AGENT_STATUS: 'An agent came, went, or does something else.',
  COMMAND: 'A command for this agent.',
  COMMAND_RESULT: 'What came of a command, or that nothing came in time.',
  MESSAGE: 'What somebody published to a channel.',
};

export const ackWords: Words<keyof typeof acks> = {
  AUTH: 'The token is good.',
  DASHBOARD_CONNECT: 'The dashboard is connected; the agents that are online.',
  SUBSCRIBE: 'Subscribed. `recovered` says whether everything since the given offset follows.',
  UNSUBSCRIBE: 'Unsubscribed.',
  COMMAND: 'The command was written to the socket of the agent, no more.',
  PUBLISH: 'Appended to the log of the channel.',
  AGENT_CONNECT: 'The agent is connected.',
  AGENT_STATUS: 'The status was taken, and dashboards are told.',
  COMMAND_RESULT: 'Whoever sent the command was told.',
};

/** Channels of the document, and what is asked at their handshake. */
export const endpoints = {
  ws: { address: '/ws', role: undefined, title: 'Everybody' },
  dashboard: { address: '/ws/dashboard', role: 'dashboard', title: 'Dashboards' },
  agent: { address: '/ws/agent', role: 'agent', title: 'Agents' },
} as const;

/** How a handshake is refused, with the headers that go with it. */
export const refusals: readonly { status: number; when: string; headers?: readonly string[] }[] = [
  { status: 400, when: 'malformed' },
  { status: 401, when: 'a token is missing or not accepted', headers: ['WWW-Authenticate'] },
  { status: 403, when: 'the role is not the right one, or the Origin is not allowed' },
  { status: 404, when: 'no such endpoint' },
  { status: 405, when: 'not GET', headers: ['Allow'] },
  { status: 408, when: 'the request took too long' },
  { status: 413, when: 'the request has too large a body' },
  { status: 417, when: 'the request expects something' },
  {
    status: 426,
    when: 'no WebSocket handshake, or not version 13',
    headers: ['Upgrade', 'Sec-WebSocket-Version'],
  },
  { status: 429, when: 'too many', headers: ['Retry-After'] },
  { status: 431, when: 'the headers are too large' },
  {
    status: 503,
    when: 'draining, or nobody can say whether a token is good',
    headers: ['Retry-After'],
  },
  { status: 505, when: 'not HTTP/1.1' },
];
