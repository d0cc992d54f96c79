// Looking into values that may not be what a schema wants. Pure.

/** A mapping's members; none when the value is no mapping. */
export function mapping(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : {};
}

/** A list's items; none when the value is no list. */
export function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
