import { EXIT } from '../errors.ts';
import { clusterJsonSchema, labJsonSchema, workloadJsonSchema } from '../spec/json-schema.ts';
import { type Io, print } from './io.ts';

const SCHEMAS = { cluster: clusterJsonSchema, lab: labJsonSchema, workload: workloadJsonSchema } as const;

/** `lab schema cluster|lab|workload`: the JSON schema (draft-07) of a file, for editors. */
export async function schema(kind: keyof typeof SCHEMAS, io: Io): Promise<number> {
  print(io, JSON.stringify(SCHEMAS[kind](), undefined, 2));
  return EXIT.done;
}
