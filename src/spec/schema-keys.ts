import * as z from 'zod';
import type { Path } from './source.ts';

/** The keys that a schema knows at a path, for suggestions. */
export function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  return [
    ...new Set(
      schemasAt(schema, path).flatMap((found) => (found instanceof z.ZodObject ? Object.keys(found.shape) : [])),
    ),
  ];
}

function schemasAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType[] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return schemasAt(schema.unwrap(), path);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((option) => schemasAt(option, path));
  const [key, ...rest] = path;
  if (key === undefined) return [schema];
  if (schema instanceof z.ZodObject) {
    const child: z.core.$ZodType | undefined = schema.shape[String(key)];
    return child ? schemasAt(child, rest) : [];
  }
  if (schema instanceof z.ZodArray) return schemasAt(schema.element, rest);
  return schema instanceof z.ZodRecord ? schemasAt(schema.valueType, rest) : [];
}
