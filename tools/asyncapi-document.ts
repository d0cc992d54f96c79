// docs/asyncapi.yaml as an object: schemas from zod, examples and close codes from docs/protocol.md.
import { z } from 'zod';
import { handlers } from '../reference-server/handlers/index.ts';
import { acks, type ClientType, clientMessages, serverMessages } from '../reference-server/messages.ts';
import { ackWords, clientWords, endpoints, refusals, serverWords } from './asyncapi-words.ts';
import { blocksOf, closeRowsOf } from './protocol-document.ts';

type Endpoint = keyof typeof endpoints;
type Keys<T> = (keyof T & string)[];

/** What the server sends of its own accord, by what it is about. */
const pushes = {
  session: { summary: 'The connection itself.', types: ['WELCOME', 'TOKEN_EXPIRING', 'DRAIN', 'ERROR'] },
  channels: { summary: 'Channels that are subscribed to.', types: ['MESSAGE', 'GAP'] },
  agents: { summary: 'For dashboards.', types: ['AGENT_STATUS', 'COMMAND_RESULT'] },
  commands: { summary: 'For agents.', types: ['COMMAND'] },
} as const;

/** Replies that are no ACK. */
const ownReplies: Partial<Record<ClientType, string>> = { PING: 'server.PONG', ECHO: 'server.ECHO' };
const clientTypes = Object.keys(clientMessages) as ClientType[];
const ref = (path: string) => ({ $ref: `#/${path}` });

/**
 * The AsyncAPI 3.0 document of the protocol.
 *
 * @param protocolMd the text of docs/protocol.md
 */
export function asyncapiDocument(protocolMd: string): object {
  const names = Object.keys(endpoints) as Endpoint[];
  const messages = allMessages(protocolMd);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'The reference protocol of wsbench',
      version: '1.0.0',
      description: [
        'What `wsbench serve` speaks: JSON objects in text frames. docs/protocol.md explains it.',
        'Operations are those of the server: it receives what clients send.',
        'A message of a client is answered exactly once, by its reply or by an ERROR with the same id; fields that are not known are ignored.',
        'A message has at most 64 KiB and is nested at most 64 levels deep.',
      ].join('\n'),
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: '127.0.0.1:8080',
        protocol: 'ws',
        protocolVersion: '13',
        description: 'As `wsbench serve` starts.',
      },
      public: {
        host: '{host}',
        protocol: 'wss',
        protocolVersion: '13',
        description: 'Behind a proxy that ends TLS.',
        variables: { host: { default: 'ws.example.com', description: 'Name and port.' } },
      },
    },
    channels: Object.fromEntries(names.map((name) => [name, channel(name, Object.keys(messages))])),
    operations: Object.assign({}, ...names.map(operations)) as object,
    components: { messages, correlationIds, operationTraits, securitySchemes, channelBindings },
    'x-close-codes': closeRowsOf(protocolMd),
    'x-handshake-refusals': refusals,
  };
}

function channel(name: Endpoint, messages: readonly string[]): object {
  const { address, role, title } = endpoints[name];
  return {
    address,
    title,
    description:
      role === undefined
        ? 'A token may come with the handshake, or later by AUTH. Without one the connection is anonymous.'
        : `The handshake needs a token with the role ${role}. What its other roles allow is allowed here, too.`,
    messages: Object.fromEntries(messages.map((key) => [key, ref(`components/messages/${key}`)])),
    bindings: ref('components/channelBindings/handshake'),
  };
}

/** Everything that clients may say is an operation with its replies; what the server says of its own accord are some more. */
function operations(name: Endpoint): Record<string, object> {
  const here = ref(`channels/${name}`);
  const listed = (keys: readonly string[]) => keys.map((key) => ref(`channels/${name}/messages/${key}`));
  const needsRole = (type: ClientType): boolean => typeof handlers[type].access !== 'string';
  // A PONG is the reply to the PING of the server.
  const received = clientTypes
    .filter((type) => type !== 'PONG')
    .map((type) => [
      `${name}.${type}`,
      {
        action: 'receive',
        channel: here,
        summary: clientWords[type],
        messages: listed([`client.${type}`]),
        reply: { channel: here, messages: listed([ownReplies[type] ?? `ack.${type}`, 'server.ERROR']) },
        ...(needsRole(type) ? { traits: [ref(`components/operationTraits/${traitOf(type)}`)] } : {}),
      },
    ]);
  const sent = Object.entries(pushes).map(([about, { summary, types }]) => [
    `${name}.${about}`,
    { action: 'send', channel: here, summary, messages: listed(types.map((type) => `server.${type}`)) },
  ]);
  const heartbeat = {
    action: 'send',
    channel: here,
    summary: serverWords.PING,
    messages: listed(['server.PING']),
    reply: { channel: here, messages: listed(['client.PONG']) },
  };
  return Object.fromEntries([...received, ...sent, [`${name}.heartbeat`, heartbeat]]) as Record<
    string,
    object
  >;
}

function traitOf(type: ClientType): string {
  const { access } = handlers[type];
  return typeof access === 'string' ? access : access.join('-or-');
}

function allMessages(protocolMd: string): Record<string, object> {
  const blocks = blocksOf(protocolMd);
  const examples = (from: string, type: string, acked?: string): object[] => {
    const found = blocks.filter(
      ({ message, ...block }) =>
        block.from === from &&
        message.type === type &&
        (acked === undefined || message.payload?.for === acked),
    );
    return found.map(({ message }) => ({ payload: message }));
  };
  const message = (
    name: string,
    title: string,
    summary: string,
    payload: object,
    shown: object[],
  ): object => ({
    name,
    title,
    summary,
    correlationId: ref('components/correlationIds/id'),
    payload,
    examples: shown,
  });
  const client = clientTypes.map((type) => [
    `client.${type}`,
    message(
      type,
      `${type} from the client`,
      clientWords[type],
      schemaOf(clientMessages[type], 'input'),
      examples('client', type),
    ),
  ]);
  const server = (Object.keys(serverWords) as Keys<typeof serverWords>).map((type) => [
    `server.${type}`,
    message(
      type,
      `${type} from the server`,
      serverWords[type],
      schemaOf(serverMessages[type], 'output'),
      examples('server', type),
    ),
  ]);
  const acked = (Object.keys(acks) as Keys<typeof acks>).map((type) => [
    `ack.${type}`,
    message(
      'ACK',
      `ACK for ${type}`,
      ackWords[type],
      schemaOf(serverMessages.ACK.extend({ payload: acks[type] }), 'output'),
      examples('server', 'ACK', type),
    ),
  ]);
  return Object.fromEntries([...client, ...server, ...acked]) as Record<string, object>;
}

/** AsyncAPI's schemas are those of draft 7. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema, ...described } = z.toJSONSchema(schema, { io, target: 'draft-7' });
  return described;
}

const webSocket = {
  method: 'GET',
  query: {
    type: 'object',
    properties: {
      token: {
        type: 'string',
        description: 'A token. Refused in production, unless the server was started to take it.',
      },
    },
  },
  headers: {
    type: 'object',
    properties: {
      Authorization: { type: 'string', pattern: '^[Bb]earer +[^\\s,]+ *$', description: 'A token.' },
      'Sec-WebSocket-Protocol': {
        type: 'string',
        description: '`wsbench.v1` is selected where it is offered; beside it `bearer.<token>` is a token.',
      },
      Cookie: {
        type: 'string',
        description: 'The cookie `token` is a token, on servers with a list of allowed Origins.',
      },
      Origin: { type: 'string', description: 'Looked at on servers with a list of allowed Origins.' },
    },
  },
  bindingVersion: '0.1.0',
} as const;

const channelBindings = { handshake: { ws: webSocket } };

const correlationIds = {
  id: {
    description: 'Chosen by whoever asks, 1 to 64 characters; the answer carries it.',
    location: '$message.payload#/id',
  },
};

const securitySchemes = {
  header: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: 'At the handshake: `Authorization: Bearer <token>`.',
  },
  subprotocol: {
    type: 'httpApiKey',
    in: 'header',
    name: 'Sec-WebSocket-Protocol',
    description: 'At the handshake: `wsbench.v1, bearer.<token>`, for browsers.',
  },
  cookie: {
    type: 'httpApiKey',
    in: 'cookie',
    name: 'token',
    description: 'At the handshake, on servers with a list of allowed Origins.',
  },
  query: {
    type: 'httpApiKey',
    in: 'query',
    name: 'token',
    description: 'At the handshake, also as `access_token` or `apikey`; refused in production by default.',
  },
};

const anyScheme = Object.keys(securitySchemes).map((name) => ref(`components/securitySchemes/${name}`));

/** Who may say what, by the `access` of the handlers. */
const operationTraits = Object.fromEntries(
  [...new Set(clientTypes.filter((type) => typeof handlers[type].access !== 'string').map(traitOf))].map(
    (trait) => [
      trait,
      {
        description: `Needs a token with the role ${trait.replaceAll('-or-', ' or ')}: at the handshake, or by AUTH before.`,
        security: anyScheme,
      },
    ],
  ),
);
