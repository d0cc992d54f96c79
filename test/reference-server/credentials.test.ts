// Where a handshake may carry its token: every way through a real server, and what is refused.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { originOf } from '../../reference-server/credentials.ts';
import type { ReferenceServer, ServerOptions } from '../../reference-server/index.ts';
import { listening } from './servers.ts';
import { upgrade } from './upgrade.ts';

const timeout = 20_000;
const secret = 'a secret that has thirty-two byte';
const app = 'https://app.example';

async function serverWith(
  t: TestContext,
  options: ServerOptions,
): Promise<{ server: ReferenceServer; token: string }> {
  const server = await listening(t, { secret, ...options });
  return { server, token: await server.mint() };
}

const protocols = 'Sec-WebSocket-Protocol';
const kubernetes = (token: string): string =>
  `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`;

// biome-ignore format: a table
const accepted: [name: string, options: ServerOptions, path: string, headers: (token: string) => string[], selected?: string][] = [
  ['header',                            {}, '/ws/dashboard', (token) => ['Authorization', `Bearer ${token}`]],
  ['header, lower case',                {}, '/ws/dashboard', (token) => ['authorization', `bearer ${token}`]],
  ['bearer.<token>, alone',             {}, '/ws/dashboard', (token) => [protocols, `bearer.${token}`]],
  ['bearer.<token> after the real one', {}, '/ws/dashboard', (token) => [protocols, `wsbench.v1, bearer.${token}`], 'wsbench.v1'],
  ['bearer.<token> before it',          {}, '/ws/dashboard', (token) => [protocols, `bearer.${token},wsbench.v1`], 'wsbench.v1'],
  ['bearer, <token>',                   {}, '/ws/dashboard', (token) => [protocols, `bearer, ${token}`]],
  ['bearer, <token> beside it',         {}, '/ws/dashboard', (token) => [protocols, `wsbench.v1, bearer, ${token}`], 'wsbench.v1'],
  ['the form of Kubernetes',            {}, '/ws/dashboard', (token) => [protocols, `${kubernetes(token)}, wsbench.v1`], 'wsbench.v1'],
  ['two header lines',                  {}, '/ws/dashboard', (token) => [protocols, 'wsbench.v1', protocols, `bearer.${token}`], 'wsbench.v1'],
  ['Bearer, in upper case',             {}, '/ws/dashboard', (token) => [protocols, `wsbench.v1, Bearer, ${token}`], 'wsbench.v1'],
  ['bearer and token on two lines',     {}, '/ws/dashboard', (token) => [protocols, 'bearer', protocols, token]],
  ['on the raw echo',                   {}, '/ws/echo',      (token) => [protocols, `wsbench.v1, bearer.${token}`], 'wsbench.v1'],
  ['query token',                       {}, '/ws/dashboard?token=$',        () => []],
  ['query access_token',                {}, '/ws/dashboard?access_token=$', () => []],
  ['query apikey',                      {}, '/ws/dashboard?vsn=1&apikey=$', () => []],
  ['query, name in percent encoding',   {}, '/ws/dashboard?%74oken=$',      () => []],
  ['query Token',                       {}, '/ws/dashboard?Token=$',        () => []],
  ['query of an absolute URL',          {}, 'http://any/ws/dashboard?token=$', () => []],
  ['query in production, allowed',      { environment: 'production', allowQueryToken: true }, '/ws/dashboard?token=$', () => []],
  ['cookie',                            { allowedOrigins: [app] }, '/ws/dashboard', (token) => ['Origin', app, 'Cookie', `a=b; token=${token}; c=d`]],
  ['cookie in quotes',                  { allowedOrigins: [app] }, '/ws/dashboard', (token) => ['Origin', app, 'Cookie', `token="${token}"`]],
  ['header, from an allowed page',      { allowedOrigins: [app] }, '/ws/dashboard', (token) => ['Origin', app, 'Authorization', `Bearer ${token}`]],
  ['header, without an Origin',         { allowedOrigins: [app] }, '/ws/dashboard', (token) => ['Authorization', `Bearer ${token}`]],
  ['any Origin, without a list',        {}, '/ws/dashboard', (token) => ['Origin', 'https://evil.example', 'Authorization', `Bearer ${token}`]],
  ['another cookie is none',            { allowedOrigins: [app] }, '/ws/dashboard', (token) => ['Cookie', 'tokens=x; xtoken=y', 'Authorization', `Bearer ${token}`]],
];

for (const [name, options, path, headers, selected] of accepted) {
  test(`credentials: ${name}`, { timeout }, async (t) => {
    const { server, token } = await serverWith(t, options);
    const answer = await upgrade(server, path.replace('$', token), headers(token));
    assert.equal(answer.status, 101, answer.text);
    assert.equal(answer.selected, selected);
    assert.ok(!answer.text.includes(token.slice(0, 30)), 'the token is repeated');
  });
}

// biome-ignore format: a table
const refused: [name: string, options: ServerOptions, path: string, headers: (token: string) => string[], status: number, says: RegExp][] = [
  ['header and subprotocol',        {}, '/ws', (token) => ['Authorization', `Bearer ${token}`, protocols, `bearer.${token}`], 401, /more than one credential/],
  ['header and query',              {}, '/ws?token=$', (token) => ['Authorization', `Bearer ${token}`], 401, /more than one credential/],
  ['two headers',                   {}, '/ws', (token) => ['Authorization', `Bearer ${token}`, 'Authorization', `Bearer ${token}`], 401, /more than one credential/],
  ['two subprotocols',              {}, '/ws', (token) => [protocols, `bearer.${token}, bearer, ${token}`], 401, /more than one credential/],
  ['two parameters',                {}, '/ws?token=$&token=x', () => [], 401, /more than one credential/],
  ['two names of parameters',       {}, '/ws?token=$&apikey=x', () => [], 401, /more than one credential/],
  ['two cookies',                   { allowedOrigins: [app] }, '/ws', (token) => ['Origin', app, 'Cookie', `token=${token}; token=${token}`], 401, /more than one credential/],
  ['two headers, one empty',        {}, '/ws', (token) => ['Authorization', `Bearer ${token}`, 'Authorization', ''], 401, /more than one credential/],
  ['an empty header',               {}, '/ws', () => ['Authorization', ''], 401, /must be: Bearer/],
  ['two tokens in one header',      {}, '/ws', (token) => ['Authorization', `Bearer ${token}, Bearer ${token}`], 401, /must be: Bearer/],
  ['Bearer, a tab',                 {}, '/ws', (token) => ['Authorization', `Bearer\t${token}`], 401, /must be: Bearer/],
  ['two subprotocols on two lines', {}, '/ws', (token) => [protocols, `bearer.${token}`, protocols, `bearer.${token}`], 401, /more than one credential/],
  ['bearer, an empty one, a token', {}, '/ws', (token) => [protocols, `bearer,,${token}`], 401, /must follow bearer/],
  ['two spellings of a name',       {}, '/ws?%74oken=$&TOKEN=$', () => [], 401, /more than one credential/],
  ['a plus behind the token',       {}, '/ws?token=$+', () => [], 401, /not a valid token/],
  ['two lines of cookies',          { allowedOrigins: [app] }, '/ws', (token) => ['Origin', app, 'Cookie', `token=${token}`, 'Cookie', `token=${token}`], 401, /more than one credential/],
  ['a cookie without a value',      { allowedOrigins: [app] }, '/ws', () => ['Origin', app, 'Cookie', 'token'], 401, /not a valid token/],
  ['a cookie with a prefix is none', { allowedOrigins: [app] }, '/ws/dashboard', (token) => ['Origin', app, 'Cookie', `__Host-token=${token}; Token=${token}`], 401, /a token is needed/],
  ['an Origin in upper case',       { allowedOrigins: [app] }, '/ws', () => ['Origin', 'HTTPS://APP.EXAMPLE'], 403, /Origin is not allowed/],
  ['an Origin with a dot behind',   { allowedOrigins: [app] }, '/ws', () => ['Origin', `${app}.`], 403, /Origin is not allowed/],
  ['an Origin below',               { allowedOrigins: [app] }, '/ws', () => ['Origin', 'https://x.app.example'], 403, /Origin is not allowed/],
  ['an empty Origin',               { allowedOrigins: [app] }, '/ws', () => ['Origin', ''], 403, /Origin is not allowed/],
  ['two Origins in one header',     { allowedOrigins: [app] }, '/ws', () => ['Origin', `${app} https://evil.example`], 403, /Origin is not allowed/],
  ['bearer, and nothing',           {}, '/ws', () => [protocols, 'wsbench.v1, bearer'], 401, /must follow bearer/],
  ['bearer, and the protocol',      {}, '/ws', () => [protocols, 'bearer, wsbench.v1'], 401, /must follow bearer/],
  ['bearer. and nothing',           {}, '/ws', () => [protocols, 'bearer.'], 401, /not a valid token/],
  ['Kubernetes with padding',       {}, '/ws', () => [protocols, 'base64url.bearer.authorization.k8s.io.YQ=='], 401, /base64url/],
  ['Kubernetes with nothing',       {}, '/ws', () => [protocols, 'base64url.bearer.authorization.k8s.io.'], 401, /base64url/],
  ['an empty parameter',            {}, '/ws?token=', () => [], 401, /not a valid token/],
  ['query in production',           { environment: 'production' }, '/ws?token=$', () => [], 401, /switched off/],
  ['query in production, no token', { environment: 'production' }, '/ws?apikey=', () => [], 401, /switched off/],
  ['cookie without a list',         {}, '/ws/dashboard', (token) => ['Origin', app, 'Cookie', `token=${token}`], 401, /a token is needed/],
  ['cookie without an Origin',      { allowedOrigins: [app] }, '/ws', (token) => ['Cookie', `token=${token}`], 401, /only with an Origin/],
  ['cookie from another site',      { allowedOrigins: [app] }, '/ws', (token) => ['Origin', 'https://evil.example', 'Cookie', `token=${token}`], 403, /Origin is not allowed/],
  ['another site without a cookie', { allowedOrigins: [app] }, '/ws/echo', () => ['Origin', 'https://evil.example'], 403, /Origin is not allowed/],
  ['another site with a header',    { allowedOrigins: [app] }, '/ws', (token) => ['Origin', 'https://evil.example', 'Authorization', `Bearer ${token}`], 403, /Origin is not allowed/],
  ['a name that goes on',           { allowedOrigins: [app] }, '/ws', () => ['Origin', `${app}.evil.example`], 403, /Origin is not allowed/],
  ['a sandboxed page',              { allowedOrigins: [app] }, '/ws', () => ['Origin', 'null'], 403, /Origin is not allowed/],
  ['another scheme',                { allowedOrigins: [app] }, '/ws', () => ['Origin', 'http://app.example'], 403, /Origin is not allowed/],
  ['another port',                  { allowedOrigins: [app] }, '/ws', () => ['Origin', `${app}:8443`], 403, /Origin is not allowed/],
  ['two Origins',                   { allowedOrigins: [app] }, '/ws', () => ['Origin', app, 'Origin', 'https://evil.example'], 403, /Origin is not allowed/],
  ['an empty list',                 { allowedOrigins: [] }, '/ws', () => ['Origin', app], 403, /Origin is not allowed/],
];

for (const [name, options, path, headers, status, says] of refused) {
  test(`credentials refused: ${name}`, { timeout }, async (t) => {
    const { server, token } = await serverWith(t, options);
    const answer = await upgrade(server, path.replace('$', token), headers(token));
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, says);
    assert.ok(!answer.text.includes(token.slice(0, 30)), 'the token is repeated');
    if (/more than one/.test(answer.text)) assert.match(answer.challenge ?? '', /error="invalid_request"/);
  });
}

test('origins are written as browsers send them, or refused', () => {
  // biome-ignore format: a table
  const written: [text: string, origin: string | undefined][] = [
    ['https://app.example',       'https://app.example'],
    ['https://APP.example:443/',  'https://app.example'],
    ['http://localhost:5173',     'http://localhost:5173'],
    ['http://[::1]:80',           'http://[::1]'],
    ['capacitor://localhost',     'capacitor://localhost'],
    ['https://bücher.example',   'https://xn--bcher-kva.example'],
    ['https://app.example.',      'https://app.example.'],
    ['Capacitor://localhost',     'capacitor://localhost'],
    ['blob:https://app.example',  undefined],
    ['https://app.example,https://b.example', undefined],
    ['*',                         undefined],
    ['null',                      undefined],
    ['app.example',               undefined],
    ['https://*.example',         undefined],
    ['https://app.example/path',  undefined],
    ['https://u@app.example',     undefined],
    ['https://',                  undefined],
  ];
  for (const [text, origin] of written) assert.equal(originOf(text), origin, text);
});
