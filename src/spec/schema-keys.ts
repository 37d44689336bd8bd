import * as z from 'zod/mini';
import type { Path } from './source.ts';

type Schema = z.core.$ZodType;

/** The keys that a schema knows at a path, for suggestions. */
export function keysAt(schema: Schema, path: Path): string[] {
  const found = schemasAt(schema, path);
  return [...new Set(found.flatMap((one) => (one instanceof z.ZodMiniObject ? Object.keys(one.shape) : [])))];
}

function schemasAt(schema: Schema, path: Path): Schema[] {
  if (
    schema instanceof z.ZodMiniOptional ||
    schema instanceof z.ZodMiniDefault ||
    schema instanceof z.ZodMiniPrefault
  ) {
    return schemasAt(schema.def.innerType, path);
  }
  if (schema instanceof z.ZodMiniUnion) return schema.def.options.flatMap((option) => schemasAt(option, path));
  const [key, ...rest] = path;
  if (key === undefined) return [schema];
  if (schema instanceof z.ZodMiniObject) {
    const child: Schema | undefined = schema.shape[String(key)];
    return child ? schemasAt(child, rest) : [];
  }
  if (schema instanceof z.ZodMiniArray) return schemasAt(schema.def.element, rest);
  return schema instanceof z.ZodMiniRecord ? schemasAt(schema.def.valueType, rest) : [];
}
