// The server's own figures, and their Prometheus text form (exposition format 0.0.4).

type Labels = Readonly<Record<string, string>>;

interface Family {
  help: string;
  type: 'counter' | 'gauge';
  /** Value by rendered labels; a function is read when the metrics are. */
  values: Map<string, number | (() => number)>;
}

/** Label values must come from a closed set: whatever a peer sends never becomes one. */
export class Metrics {
  readonly #families = new Map<string, Family>();

  /** Declares a counter; without labels it starts at 0. */
  counter(name: string, help: string): void {
    this.#families.set(name, { help, type: 'counter', values: new Map() });
  }

  gauge(name: string, help: string, read: () => number): void {
    this.#families.set(name, { help, type: 'gauge', values: new Map([['', read]]) });
  }

  add(name: string, labels: Labels = {}, by = 1): void {
    const family = this.#families.get(name);
    if (!family) throw new Error(`no metric ${name}`);
    const key = render(labels);
    const value = family.values.get(key);
    family.values.set(key, (typeof value === 'number' ? value : 0) + by);
  }

  text(): string {
    const lines: string[] = [];
    for (const [name, { help, type, values }] of this.#families) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [labels, value] of values) {
        lines.push(`${name}${labels} ${typeof value === 'function' ? value() : value}`);
      }
    }
    return `${lines.join('\n')}\n`;
  }
}

function render(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
