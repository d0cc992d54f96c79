// The target files that ship with wsbench, by name.
import { readFileSync } from 'node:fs';
import { WsbenchError } from '../errors.ts';
import { meant } from '../nearest.ts';
import { parseYaml } from '../yaml.ts';
import { type Target, targetSchema } from './target.ts';

/** Names of the presets, as `--preset` takes them. */
export const presetNames = [
  'wsbench',
  'echo',
  'phoenix',
  'phoenix-v2',
  'json-rpc',
  'graphql-ws',
  'socket.io',
] as const;
export type PresetName = (typeof presetNames)[number];

/**
 * The preset that a name means for a target at a URL: Phoenix has two serializers, and `vsn` in the URL says which.
 */
export function presetFor(name: string, url: string | undefined): string {
  if (name !== 'phoenix' || url === undefined || !URL.canParse(url)) return name;
  return new URL(url).searchParams.get('vsn')?.startsWith('2.') ? 'phoenix-v2' : name;
}

/**
 * Loads a preset.
 *
 * @throws WsbenchError `USAGE` when there is none of that name
 */
export function loadPreset(name: string): Target {
  if (!(presetNames as readonly string[]).includes(name)) {
    throw new WsbenchError('USAGE', `unknown preset "${name}"${meant(name, presetNames)}`);
  }
  const file = `scenarios/presets/${name}.target.yml`;
  return parseYaml(readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8'), targetSchema, file);
}
