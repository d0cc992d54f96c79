// Where URLs lead.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WsbenchError } from '../../lib/errors.ts';
import { type Endpoint, endpointOf } from '../../lib/transport/endpoint.ts';
import { proxyOf } from '../../lib/transport/proxy.ts';

const plain = { secure: false, target: '/' };
const unix = { secure: false, host: 'localhost', port: 0, authority: 'localhost' };

// biome-ignore format: a table
const good: [url: string, endpoint: Endpoint][] = [
  ['ws://example.com', { ...plain, host: 'example.com', port: 80, authority: 'example.com' }],
  ['ws://example.com:80/', { ...plain, host: 'example.com', port: 80, authority: 'example.com' }],
  ['ws://example.com:8080/a/b?c=d&e', { ...plain, host: 'example.com', port: 8080, authority: 'example.com:8080', target: '/a/b?c=d&e' }],
  ['wss://example.com/#f', { secure: true, host: 'example.com', port: 443, authority: 'example.com', target: '/' }],
  ['ws://[::1]:9/', { ...plain, host: '::1', port: 9, authority: '[::1]:9' }],
  ['ws://münchen.example/ä', { ...plain, host: 'xn--mnchen-3ya.example', port: 80, authority: 'xn--mnchen-3ya.example', target: '/%C3%A4' }],
  ['ws+unix:/run/app.sock', { ...unix, socketPath: '/run/app.sock', target: '/' }],
  ['ws+unix:/run/app.sock:/chat?x=1', { ...unix, socketPath: '/run/app.sock', target: '/chat?x=1' }],
  ['ws+unix:///run/app.sock:/chat', { ...unix, socketPath: '/run/app.sock', target: '/chat' }],
  ['ws+unix:./app.sock:/chat', { ...unix, socketPath: './app.sock', target: '/chat' }],
  ['ws+unix:/run/a%20b.sock', { ...unix, socketPath: '/run/a b.sock', target: '/' }],
];
for (const [url, endpoint] of good) test(url, () => assert.deepEqual(endpointOf(url), endpoint));

for (const url of ['', 'example.com', 'http://example.com/', 'ws+unix:', 'ws+unix://', 'ftp://x/', 'ws://']) {
  test(`${JSON.stringify(url)} is refused`, () => {
    assert.throws(
      () => endpointOf(url),
      (error) => error instanceof WsbenchError && error.code === 'USAGE',
    );
  });
}

test('proxies', () => {
  assert.deepEqual(proxyOf('http://proxy:3128'), {
    kind: 'http',
    host: 'proxy',
    port: 3128,
    username: '',
    password: '',
  });
  assert.deepEqual(proxyOf('http://u%40x:p%3A@proxy'), {
    kind: 'http',
    host: 'proxy',
    port: 80,
    username: 'u@x',
    password: 'p:',
  });
  assert.deepEqual(proxyOf('socks5://[::1]'), {
    kind: 'socks5',
    host: '::1',
    port: 1080,
    username: '',
    password: '',
  });
  for (const url of ['', 'proxy:3128', 'https://proxy', 'socks4://proxy', 'socks5://']) {
    assert.throws(
      () => proxyOf(url),
      (error) => error instanceof WsbenchError && !error.message.includes('secret'),
    );
  }
});
