// What a schema allows at a path of a value.
import type { z } from 'zod';

type Schema = z.core.$ZodType;

/** The keys of the mapping that a schema wants at a path; undefined when it wants none there, or any keys do. */
export function keysAt(schema: Schema, value: unknown, path: readonly PropertyKey[]): string[] | undefined {
  const shape = shapeOf(schemaAt(schema, value, path));
  return shape && Object.keys(shape);
}

/** Where else in a schema's mapping, one level down, a key is known: `connect` for `headers`. */
export function homeOf(schema: Schema, key: string): string | undefined {
  const shape = shapeOf(unwrap(schema, undefined)) ?? {};
  return Object.keys(shape).find((name) => {
    const inner = shapeOf(unwrap(shape[name], undefined));
    return inner !== undefined && Object.hasOwn(inner, key);
  });
}

function schemaAt(schema: Schema, value: unknown, path: readonly PropertyKey[]): Schema | undefined {
  let at = unwrap(schema, value);
  let inner = value;
  for (const step of path) {
    const def = defOf(at);
    inner = (inner as Record<PropertyKey, unknown> | null | undefined)?.[step];
    if (def?.type === 'object') at = unwrap(def.shape[String(step)], inner);
    else if (def?.type === 'record') at = unwrap(def.valueType, inner);
    else if (def?.type === 'array') at = unwrap(def.element, inner);
    else return undefined;
  }
  return at;
}

function shapeOf(schema: Schema | undefined): Readonly<Record<string, Schema>> | undefined {
  const def = defOf(schema);
  return def?.type === 'object' ? def.shape : undefined;
}

/** The schema without what only wraps it; of a union, the option that the value is meant for. */
function unwrap(schema: Schema | undefined, value: unknown): Schema | undefined {
  const def = defOf(schema);
  switch (def?.type) {
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nullable':
      return unwrap(def.innerType, value);
    case 'pipe':
      return unwrap(def.in, value);
    case 'union': {
      const { discriminator } = def as { discriminator?: string };
      if (discriminator === undefined) return schema;
      const given = (value as Record<string, unknown> | null | undefined)?.[discriminator];
      const option = def.options.find((one) =>
        one._zod.propValues?.[discriminator]?.has(given as z.core.util.Primitive),
      );
      return unwrap(option, value);
    }
    default:
      return schema;
  }
}

function defOf(schema: Schema | undefined): z.core.$ZodTypes['_zod']['def'] | undefined {
  return (schema as z.core.$ZodTypes | undefined)?._zod.def;
}
