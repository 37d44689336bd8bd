import { EXIT } from '../errors.ts';
import { clusterJsonSchema, labJsonSchema } from '../spec/json-schema.ts';
import { type Io, print } from './io.ts';

/** `lab schema cluster|lab`: the JSON schema (draft-07) of a file, for editors. */
export async function schema(kind: 'cluster' | 'lab', io: Io): Promise<number> {
  print(io, JSON.stringify(kind === 'cluster' ? clusterJsonSchema() : labJsonSchema(), undefined, 2));
  return EXIT.done;
}
