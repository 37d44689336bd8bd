import type { Problem } from '../errors.ts';
import { isMap } from '../tools/merge-values.ts';
import { isOfKind, readDocuments } from './documents.ts';
import type { SpecFile } from './files.ts';
import { checkSchema } from './issues.ts';
import { type LabFile, labFile, plainLabFile } from './lab-schema.ts';
import { omitKeys } from './merge.ts';
import { mergeWithMesh } from './mesh-layers.ts';
import { type Sourced, valueAt, whereKey } from './source.ts';

const BESIDE_SPEC = ['apiVersion', 'kind', 'metadata'];
/** Keys of `spec` that give nothing to single clusters. */
const OF_THE_LAB = ['network', 'ranges', 'loadBalancer', 'groups', 'checks', 'links'];
const OWN_NETWORK = ['name', 'subnets', 'ipRange'];

export interface ReadLab {
  readonly file: LabFile;
  /** Absent when there is no lab.yaml, or none that can be used. */
  readonly sourced: Sourced | undefined;
  readonly problems: readonly Problem[];
  /** Whether all that clusters get from these files is known: else what they lack may stand there. */
  readonly complete: boolean;
}

/** Reads what the clusters share: the user's own defaults, and the lab's file on top of them. */
export function readLabDocument(own: SpecFile | undefined, labFiles: readonly SpecFile[]): ReadLab {
  const [first, second] = labFiles;
  const problems: Problem[] = second
    ? [{ at: second.shown, message: `${first?.shown} is the lab's file already` }]
    : [];
  const layers: Sourced[] = [];
  let complete = true;
  for (const file of [own, first]) {
    const read = file && readLayer(file);
    if (!file || !read) continue;
    problems.push(...read.problems);
    complete &&= read.complete;
    // The user's defaults do not name a lab.
    if (read.sourced) layers.push(file === own ? omitKeys(read.sourced, [], ['metadata']) : read.sourced);
  }
  const sourced = layers.length === 2 ? mergeLayers(layers[0] as Sourced, layers[1] as Sourced) : layers[0];
  if (!sourced) return { file: plainLabFile.parse({ kind: 'Lab' }), sourced, problems, complete };
  const checked = problems.length === 0 ? checkSchema(labFile, sourced, plainLabFile) : { problems };
  if ('value' in checked) return { file: checked.value, sourced, problems, complete };
  const rest = readRest(sourced);
  return { file: rest.file, sourced, problems, complete: complete && rest.complete };
}

/** What stands beside the mistakes of a document: rules about it can be checked all the same. */
function readRest(sourced: Sourced): Pick<ReadLab, 'file' | 'complete'> {
  const { spec = {}, ...beside } = isMap(sourced.value) ? sourced.value : {};
  const isRight = (value: unknown) => findDocumentProblems({ ...sourced, value }).length === 0;
  const parts = Object.entries(isMap(spec) ? spec : {});
  const right = parts.filter(([key, part]) => isRight({ kind: 'Lab', spec: { [key]: part } }));
  const wrong = parts.map(([key]) => key).filter((key) => !right.some(([known]) => known === key));
  return {
    file: labFile().parse({ kind: 'Lab', spec: Object.fromEntries(right) }),
    complete:
      isMap(spec) &&
      Object.keys(beside).every((key) => BESIDE_SPEC.includes(key)) &&
      wrong.every((key) => OF_THE_LAB.includes(key)),
  };
}

function readLayer(file: SpecFile): { sourced?: Sourced; problems: readonly Problem[]; complete: boolean } {
  const { documents, problems, complete } = readDocuments(file);
  const [sourced, second] = documents.filter((document) => isOfKind(document, 'lab'));
  if (!sourced) return { problems, complete: false };
  const repeated = second ? [{ at: whereKey(second, []), message: 'a second kind: Lab in one file' }] : [];
  return { sourced, problems: [...problems, ...repeated, ...findDocumentProblems(sourced)], complete };
}

function findDocumentProblems(sourced: Sourced): Problem[] {
  const checked = checkSchema(labFile, sourced, plainLabFile);
  return [...('problems' in checked ? checked.problems : []), ...findAdoptProblems(sourced)];
}

/** An adopted network takes the place of an own one, and the other way round. */
function mergeLayers(under: Sourced, over: Sourced): Sourced {
  const path = ['spec', 'network'];
  const network = valueAt(over.value, path);
  if (!isMap(network)) return mergeWithMesh(under, over);
  const replaced = 'adopt' in network ? OWN_NETWORK : OWN_NETWORK.some((key) => key in network) ? ['adopt'] : [];
  return mergeWithMesh(omitKeys(under, path, replaced), over);
}

function findAdoptProblems(sourced: Sourced): Problem[] {
  const network = valueAt(sourced.value, ['spec', 'network']);
  if (!isMap(network) || !('adopt' in network)) return [];
  return OWN_NETWORK.filter((key) => key in network).map((key) => ({
    at: whereKey(sourced, ['spec', 'network', key]),
    message: `${key}: an adopted network is used as it is`,
    hint: 'leave out either this or adopt',
  }));
}
