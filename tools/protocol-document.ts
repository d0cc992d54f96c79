// What docs/protocol.md has that other things are made from and held against: its transcript, and its table of close codes.

/** One message of the transcript. */
export interface Block {
  from: 'client' | 'server';
  persona: string;
  /** How often it is sent. */
  times: number;
  line: number;
  message: { type: string; id?: string; payload?: Record<string, unknown> };
}

/** A row of the table of close codes. */
export interface CloseRow {
  code: number;
  /** What the close frame says; several where the code has several. */
  reasons: string[];
  when: string;
  /** What a client should do. */
  client: string;
}

/** The blocks of the transcript, in their order. */
export function blocksOf(markdown: string): Block[] {
  const fence = /^```json (client|server) (\w+)(?: times=(\d+))?\n([\s\S]*?)^```$/gm;
  return [...markdown.matchAll(fence)].map((match) => ({
    from: match[1] as Block['from'],
    persona: match[2] ?? '',
    times: Number(match[3] ?? 1),
    line: markdown.slice(0, match.index).split('\n').length,
    message: JSON.parse(match[4] ?? '') as Block['message'],
  }));
}

/** The rows of the table of close codes. */
export function closeRowsOf(markdown: string): CloseRow[] {
  const table = markdown.slice(markdown.indexOf('### Close codes'));
  return [...table.matchAll(/^\| (\d{4}) +\|([^|]*)\|([^|]*)\|([^|]*)\|$/gm)].map(
    ([, code, reasons = '', when = '', client = '']) => ({
      code: Number(code),
      reasons: [...reasons.matchAll(/`(\w+)`/g)].map(([, reason = '']) => reason),
      when: when.trim(),
      client: client.trim(),
    }),
  );
}
