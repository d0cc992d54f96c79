// What a control group (a container, a systemd slice) allows this process: cores and memory, in versions 1 and 2.
import { posix } from 'node:path';
import { type MachineFiles, readNumber } from './files.ts';

/** What the groups that this process is in allow it. */
export interface CgroupLimits {
  /** Cores' worth of time: 1.5 is one and a half. Undefined: no quota. */
  cores?: number | undefined;
  memoryBytes?: number | undefined;
}

/** How often the groups' quota stopped this process since they were made. */
export interface Throttling {
  /** Periods (mostly of 100 ms) in which it was stopped before their end. */
  periods: number;
  ms: number;
}

/** Folders of the groups that a controller puts this process in, the innermost first. */
interface Groups {
  version: 1 | 2;
  folders: string[];
}

/** The strictest limits of the groups, each of which holds for all that is within it. */
export function cgroupLimits(files: MachineFiles): CgroupLimits {
  return {
    cores: least(groupsOf(files, 'cpu'), (folder, version) => coresOf(files, folder, version)),
    memoryBytes: least(groupsOf(files, 'memory'), (folder, version) => memoryOf(files, folder, version)),
  };
}

/** How often this process was stopped for having used up a quota; undefined: no group has one. */
export function throttling(files: MachineFiles): Throttling | undefined {
  let seen: Throttling | undefined;
  for (const { version, folders } of groupsOf(files, 'cpu')) {
    for (const folder of folders) {
      if (coresOf(files, folder, version) === undefined) continue;
      const text = files.read(`${folder}/cpu.stat`) ?? '';
      const of = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
      seen ??= { periods: 0, ms: 0 };
      seen.periods += of('nr_throttled');
      seen.ms += version === 2 ? of('throttled_usec') / 1e3 : of('throttled_time') / 1e6;
    }
  }
  return seen;
}

function least(
  groups: readonly Groups[],
  limitOf: (folder: string, version: 1 | 2) => number | undefined,
): number | undefined {
  const limits = groups
    .flatMap(({ version, folders }) => folders.map((folder) => limitOf(folder, version)))
    .filter((limit) => limit !== undefined);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function coresOf(files: MachineFiles, folder: string, version: 1 | 2): number | undefined {
  if (version === 2) {
    const [, quota, period] = /^(\d+) (\d+)/.exec(files.read(`${folder}/cpu.max`) ?? '') ?? [];
    return quota === undefined ? undefined : Number(quota) / Number(period);
  }
  // -1: no quota.
  const quota = readNumber(files, `${folder}/cpu.cfs_quota_us`);
  const period = readNumber(files, `${folder}/cpu.cfs_period_us`);
  return quota === undefined || !period ? undefined : quota / period;
}

// Version 1 says "no limit" with the largest number of pages that there is.
const noLimitBytes = 2 ** 60;

function memoryOf(files: MachineFiles, folder: string, version: 1 | 2): number | undefined {
  const file = version === 2 ? 'memory.max' : 'memory.limit_in_bytes';
  const bytes = readNumber(files, `${folder}/${file}`);
  return bytes !== undefined && bytes < noLimitBytes ? bytes : undefined;
}

/** The groups of a controller. Both versions may be mounted, and only one of them has the controller. */
function groupsOf(files: MachineFiles, controller: string): Groups[] {
  const memberships = (files.read('/proc/self/cgroup') ?? '').split('\n');
  const mounts = (files.read('/proc/self/mountinfo') ?? '').split('\n');
  return memberships.flatMap((line) => {
    const [, names = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    const version = names === '' ? 2 : 1;
    if (path === '' || (version === 1 && !names.split(',').includes(controller))) return [];
    for (const mount of mounts) {
      const folders = foldersIn(mount, version, controller, path);
      if (folders) return [{ version, folders }];
    }
    return [];
  });
}

/** The folders of a group and of those around it, if the mount shows it. */
function foldersIn(mount: string, version: 1 | 2, controller: string, path: string): string[] | undefined {
  // `31 23 0:28 /root /mount/point rw,relatime shared:9 - cgroup cgroup rw,cpu`
  const [, root = '', point = '', type, options = ''] =
    /^\d+ \d+ \S+ (\S+) (\S+) .* - (\S+) \S+ (\S+)$/.exec(mount) ?? [];
  if (version === 2 ? type !== 'cgroup2' : type !== 'cgroup' || !options.split(',').includes(controller)) {
    return undefined;
  }
  // In a container the path may be that of the host, of which the mount shows the container's part.
  const within = posix.relative(root, path);
  const shown = within.startsWith('..') ? '' : within;
  const folders = [];
  for (let folder = posix.join(point, shown); folder.startsWith(point); folder = posix.dirname(folder)) {
    folders.push(folder);
    if (folder === point) break;
  }
  return folders;
}
