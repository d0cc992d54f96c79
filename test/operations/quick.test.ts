// Behind a proxy several instances are one server: quick finds nothing amiss.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { emptyFolder, runConclusive } from '../cli/spawn.ts';
import { skipRedis, startRedis } from '../reference-server/redis-server.ts';
import { secret, startInstance } from './instances.ts';
import { type ProxyName, proxies, startProxy } from './proxies.ts';

interface Result {
  checks: { id: string; status: string }[];
}

describe('quick through a proxy', { concurrency: true }, () => {
  for (const name of Object.keys(proxies) as ProxyName[]) {
    test(`${name}: the checks of quick pass against three instances behind it`, {
      timeout: 120_000,
      skip: proxies[name].skip || skipRedis,
    }, async (t) => {
      const redis = await startRedis(t);
      const start = () => startInstance(t, redis, ['--limits', 'test'], { NODE_ENV: 'test' });
      const [one, two, three] = await Promise.all([start(), start(), start()]);
      const proxy = await startProxy(t, name, [one.port, two.port, three.port]);
      const { stdout, stderr } = await runConclusive(
        ['quick', `${proxy.url}/ws`, '--secret', 'env:JWT_SECRET', '--no-save', '--json'],
        { cwd: emptyFolder(t), env: { JWT_SECRET: secret } },
      );
      const { checks } = JSON.parse(stdout) as Result;
      const passed = checks.filter(({ status }) => status === 'passed');
      t.diagnostic(`${passed.length} of ${checks.length} checks passed`);
      const others = checks.filter(({ status }) => status !== 'passed');
      assert.deepEqual(others, [], stderr);
      assert.ok(passed.length >= 28, `${passed.length} passed`);
      for (const { httpUrl } of [one, two, three]) {
        const text = await (await fetch(`${httpUrl}/metrics`)).text();
        const opened = Number(/^wsbench_connections_total\{route="\/ws"\} (\d+)$/m.exec(text)?.[1]);
        assert.ok(opened >= 3, `${opened} connections reached ${httpUrl}`);
      }
    });
  }
});
