import type { Problem } from '../errors.ts';
import { isMap } from '../tools/merge-values.ts';
import type { Fault } from './fault.ts';
import type { SpecFile } from './files.ts';
import { omitKeys } from './merge.ts';
import { spellOutMesh } from './mesh-layers.ts';
import { OLD_KIND } from './old-format.ts';
import { readBounded } from './read-bounded.ts';
import { show } from './show.ts';
import { type Sourced, valueAt, whereValue } from './source.ts';
import { suggest } from './suggest.ts';
import { type ParsedYaml, parseYaml } from './yaml.ts';

const MAX_BYTES = 256 * 1024;
const MANIFESTS = 'a manifest goes into a folder of its own below this one';

/** The documents of a spec file; never throws. */
export function readDocuments(file: SpecFile): ParsedYaml {
  const fail = (message: string, at = file.shown): ParsedYaml => ({
    documents: [],
    problems: [{ at, message }],
    complete: false,
  });
  const read = readBounded(file.path, MAX_BYTES);
  if ('failure' in read) return fail(read.failure);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(read.bytes);
  } catch {
    return fail('not UTF-8 text', `${file.shown}:1:1`);
  }
  const parsed = parseYaml(text, file);
  if (parsed.complete && parsed.documents.length === 0) return fail('an empty file', `${file.shown}:1:1`);
  const documents = parsed.documents.map(dropEmptySpec).map(spellOutMesh);
  const problems = documents.flatMap((document) => findKindProblem(document, file.role) ?? []);
  return { ...parsed, documents, problems: [...parsed.problems, ...problems] };
}

/** `spec:` with nothing below it, as when all of it is commented out, is as good as none. */
const dropEmptySpec = (document: Sourced): Sourced =>
  valueAt(document.value, ['spec']) === null ? omitKeys(document, [], ['spec']) : document;

export const kindOf = ({ value }: Sourced): unknown => valueAt(value, ['kind']);

/** Whether the document is a workload outside of a cluster, which stands where a cluster can stand. */
export const isWorkload = (document: Sourced): boolean => kindOf(document) === 'ExternalWorkload';

/** Whether the document says that it is what its file is for. */
export function isOfKind(document: Sourced, role: SpecFile['role']): boolean {
  const kind = kindOf(document);
  return role === 'lab' ? kind === 'Lab' : kind === 'Cluster' || kind === OLD_KIND;
}

function findKindProblem(document: Sourced, role: SpecFile['role']): Problem | undefined {
  if (isOfKind(document, role) || (role === 'cluster' && isWorkload(document))) return undefined;
  return { at: whereValue(document, ['kind']), ...describeKind(document, role) };
}

function describeKind(document: Sourced, role: SpecFile['role']): Fault {
  const kind = kindOf(document);
  const wanted = role === 'lab' ? 'Lab' : 'Cluster';
  if (!isMap(document.value)) return { message: `expected a map with kind: ${wanted}, found ${show(document.value)}` };
  if (kind === undefined || kind === null) return { message: 'kind is missing', hint: `kind: ${wanted}; ${MANIFESTS}` };
  if (role === 'lab')
    return { message: `kind: expected Lab, found ${show(kind)}`, hint: 'a cluster has a file of its own' };
  if (kind === 'Lab') return { message: 'kind Lab belongs in lab.yaml' };
  return {
    message: `unknown kind ${show(kind)}`,
    hint: MANIFESTS,
    ...(typeof kind === 'string' && suggest(kind, ['Cluster', 'ExternalWorkload', OLD_KIND])),
  };
}
