import * as z from 'zod/mini';

/**
 * A schema with what its key means, for editors: the same schema, and not a copy as `describe` makes one. Schemas are
 * written in `zod/mini`, because they are built at every start, and those of `zod` take five times as long.
 */
export function described<Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema {
  z.globalRegistry.add(schema, { description });
  return schema;
}
