// Bun's executable: one that is there, or npm's, fetched on demand into a folder outside the repository.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Bun, or why there is none. */
export type Bun = { path: string; version: string } | { missing: string };

/**
 * Looks for Bun: `WSBENCH_BUN_BIN`, then PATH, then a cache folder (`WSBENCH_BENCH_CACHE`, or one in the system's folder for
 * temporary files), into which npm installs it once.
 */
export function findBun(): Bun {
  const cache = process.env.WSBENCH_BENCH_CACHE ?? join(tmpdir(), 'wsbench-bench');
  const cached = join(cache, 'node_modules', '.bin', 'bun');
  for (const path of [process.env.WSBENCH_BUN_BIN ?? 'bun', cached]) {
    const version = versionOf(path);
    if (version !== undefined) return { path, version };
  }
  if (existsSync(cached)) return { missing: `${cached} does not run here` };
  mkdirSync(cache, { recursive: true });
  const install = spawnSync(
    'npm',
    ['install', '--no-save', '--no-fund', '--no-audit', '--prefix', cache, 'bun'],
    { encoding: 'utf8', timeout: 120_000 },
  );
  const version = versionOf(cached);
  if (version !== undefined) return { path: cached, version };
  const said = `${install.error?.message ?? install.stderr ?? ''}`.trim().split('\n').at(-1);
  return { missing: `npm could not install it: ${said}` };
}

function versionOf(path: string): string | undefined {
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return status === 0 ? stdout.trim() : undefined;
}
