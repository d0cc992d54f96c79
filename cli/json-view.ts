// JSON for people: laid out and coloured, its numbers and texts exactly as they came. Pure.

/** How it should look. */
export interface JsonStyle {
  /** What fits into so many columns stays on one line. */
  width: number;
  color: boolean;
}

interface Container {
  open: string;
  close: string;
  items: { key?: string; value: Node }[];
}
type Node = string | Container;

// Deeper ones are shown as they came: nobody reads them, and what a peer sends must not exhaust the stack.
const deepest = 64;
const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** JSON text laid out for a terminal; undefined when it is no JSON object or list. */
export function jsonView(text: string, { width, color }: JsonStyle): string | undefined {
  if (!/^\s*[[{]/.test(text) || !isJson(text)) return undefined;
  const root = treeOf(text.match(token) ?? []);
  if (root === undefined) return undefined;
  const paint = color ? painted : (piece: string): string => piece;
  return layOut(root, '', width, paint);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The tree of JSON that is known to be right. */
function treeOf(tokens: readonly string[]): Node | undefined {
  const root: Container = { open: '', close: '', items: [] };
  const stack = [root];
  let key: string | undefined;
  const add = (value: Node): void => {
    stack.at(-1)?.items.push(key === undefined ? { value } : { key, value });
    key = undefined;
  };
  for (const [index, piece] of tokens.entries()) {
    if (piece === '{' || piece === '[') {
      const inner: Container = { open: piece, close: piece === '{' ? '}' : ']', items: [] };
      add(inner);
      stack.push(inner);
      if (stack.length > deepest) return undefined;
    } else if (piece === '}' || piece === ']') stack.pop();
    else if (tokens[index + 1] === ':') key = piece;
    else if (piece !== ',' && piece !== ':') add(piece);
  }
  return root.items[0]?.value;
}

type Paint = (piece: string, isKey?: boolean) => string;

function layOut(node: Node, indent: string, width: number, paint: Paint): string {
  if (typeof node === 'string') return paint(node);
  if (indent.length + flatLength(node) <= width) return flat(node, paint);
  const inner = `${indent}  `;
  const lines = node.items.map(({ key, value }) => {
    const label = key === undefined ? '' : `${paint(key, true)}: `;
    return `${inner}${label}${layOut(value, inner, width, paint)}`;
  });
  return `${node.open}\n${lines.join(',\n')}\n${indent}${node.close}`;
}

function flat(node: Node, paint: Paint): string {
  if (typeof node === 'string') return paint(node);
  const items = node.items.map(({ key, value }) =>
    key === undefined ? flat(value, paint) : `${paint(key, true)}: ${flat(value, paint)}`,
  );
  return node.open === '{' && items.length > 0
    ? `{ ${items.join(', ')} }`
    : `${node.open}${items.join(', ')}${node.close}`;
}

function flatLength(node: Node): number {
  if (typeof node === 'string') return node.length;
  const brackets = node.open === '{' && node.items.length > 0 ? 4 : 2;
  const commas = 2 * Math.max(0, node.items.length - 1);
  const items = node.items.map(
    ({ key, value }) => (key === undefined ? 0 : key.length + 2) + flatLength(value),
  );
  return items.reduce((sum, length) => sum + length, brackets + commas);
}

function painted(piece: string, isKey = false): string {
  if (isKey) return `\x1b[36m${piece}\x1b[39m`;
  if (piece.startsWith('"')) return `\x1b[32m${piece}\x1b[39m`;
  return /^[-\d]/.test(piece) ? `\x1b[33m${piece}\x1b[39m` : `\x1b[35m${piece}\x1b[39m`;
}
