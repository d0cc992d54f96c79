// Where things stand in a YAML document, and what its nodes give away before any schema looks at its values.
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml';
import { isSecretName } from '../result/redact.ts';
import type { Range } from './excerpt.ts';

/** A mistake at a place of the text. */
export interface Finding {
  /** Index in the text. */
  offset: number;
  message: string;
  /** The value is not what is written there: no schema needs to look at it. */
  isFatal?: boolean;
}

/** What {@link inspect} found out. */
export interface Inspection {
  findings: Finding[];
  /** Values whose key says that they are secret. */
  secrets: Range[];
}

/** Levels of mappings and lists that a file may have. */
export const deepest = 64;

/** What is said of more. */
export const tooDeep = `nested deeper than ${deepest} levels`;

/** Looks through the nodes of a document: depth, aliases, tags, placeholders without quotes, secrets. */
export function inspect(document: Document, text: string): Inspection {
  const findings: Finding[] = [];
  const secrets: Range[] = [];
  const anchors = new Set<string>();
  const walk = (node: unknown, depth: number, secret: boolean, parent: string): void => {
    if (!isNode(node)) return;
    if (depth > deepest) {
      if (findings.at(-1)?.message !== tooDeep)
        findings.push({ offset: startOf(node), message: tooDeep, isFatal: true });
      return;
    }
    if (isAlias(node)) {
      if (!anchors.has(node.source)) {
        const message = `there is no anchor &${node.source} before it`;
        findings.push({ offset: startOf(node), message, isFatal: true });
      }
      return;
    }
    if (node.anchor !== undefined) anchors.add(node.anchor);
    if (isScalar(node)) {
      if (secret && node.range) secrets.push(...withoutPlaceholders(text, node.range[0], node.range[1]));
      return;
    }
    const bare = barePlaceholder(node);
    if (bare !== undefined) {
      findings.push({
        offset: startOf(node),
        message: `a placeholder needs quotes around it, or YAML takes it for a mapping: "{{ ${bare} }}"`,
      });
      return;
    }
    if (isSeq(node)) {
      for (const item of node.items) walk(isPair(item) ? item.value : item, depth + 1, secret, parent);
    } else if (isMap(node)) {
      const keys = new Set<string>();
      for (const { key, value } of node.items) {
        // The parser compares each key with each other one.
        if (isScalar(key) && keys.has(String(key.value))) {
          const message = 'a key that is there before; keys are unique';
          findings.push({ offset: startOf(key), message, isFatal: true });
        }
        if (isScalar(key)) keys.add(String(key.value));
        walk(key, depth + 1, false, '');
        const name = isScalar(key) ? String(key.value) : '';
        walk(value, depth + 1, secret || isSecretName(name, parent), name);
      }
    }
  };
  walk(document.contents, 0, false, '');
  return { findings, secrets };
}

/** `{{ name }}` stands without quotes: a mapping whose only key is a mapping with the only key `name`. */
function barePlaceholder(node: Node): string | undefined {
  const inner = onlyKey(node);
  if (!isMap(inner)) return undefined;
  const name = onlyKey(inner);
  return isScalar(name) && /^[\w./-]+$/.test(String(name.value)) ? String(name.value) : undefined;
}

function onlyKey(node: unknown): unknown {
  const pair = isMap(node) && node.flow && node.items.length === 1 ? node.items[0] : undefined;
  return pair !== undefined && (pair.value === null || (isScalar(pair.value) && pair.value.value === null))
    ? pair.key
    : undefined;
}

/** A part of the text but for the `{{ placeholders }}` in it, which are no secrets and may be what an error is about. */
function withoutPlaceholders(text: string, start: number, end: number): Range[] {
  const ranges: Range[] = [];
  let at = start;
  for (const found of text.slice(start, end).matchAll(/\{\{\s*[\w./-]{1,40}\s*\}\}/g)) {
    ranges.push({ start: at, end: start + found.index });
    at = start + found.index + found[0].length;
  }
  ranges.push({ start: at, end });
  // Quotes alone are no secret.
  return ranges.filter((range) => !/^["']?$/.test(text.slice(range.start, range.end)));
}

/** What of a path is meant: the value that stands there, its key, or the n-th of the same placeholders in its text. */
export type Spot = 'value' | 'key' | { placeholder: string; nth: number };

/** Index in the text of what stands at a path, or of the nearest thing above it that is there. */
export function offsetOf(document: Document, text: string, path: readonly PropertyKey[], spot: Spot): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? startOf(node) : 0;
  for (const [index, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    const pair = isMap(node) ? pairOf(node, step) : undefined;
    const next: unknown = pair ? pair.value : isSeq(node) ? node.items[Number(step)] : undefined;
    const keyOffset = pair && isNode(pair.key) ? startOf(pair.key) : undefined;
    if (keyOffset !== undefined && spot === 'key' && index === path.length - 1) return keyOffset;
    if (!isNode(next)) return keyOffset ?? offset;
    // A key without a value: there is nothing to point at behind the colon.
    const isEmpty = next.range !== undefined && next.range !== null && next.range[0] === next.range[1];
    offset = isEmpty ? (keyOffset ?? startOf(next)) : startOf(next);
    node = next;
  }
  if (typeof spot !== 'object' || !isScalar(node) || !node.range) return offset;
  const source = text.slice(node.range[0], node.range[1]);
  const places = [...source.matchAll(/\{\{\s*([^{}\s]*)/g)].filter((found) => found[1] === spot.placeholder);
  return node.range[0] + (places[spot.nth]?.index ?? 0);
}

function pairOf(map: YAMLMap, step: PropertyKey): Pair | undefined {
  return map.items.find(({ key }) => isScalar(key) && String(key.value ?? '') === String(step));
}

function startOf(node: Node): number {
  return node.range?.[0] ?? 0;
}
