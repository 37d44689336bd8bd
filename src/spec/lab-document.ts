import type { Problem } from '../errors.ts';
import { isMap } from '../tools/merge-values.ts';
import { isOfKind, readDocuments } from './documents.ts';
import type { SpecFile } from './files.ts';
import { checkSchema } from './issues.ts';
import { type LabFile, labFile, plainLabFile } from './lab-schema.ts';
import { omitKeys } from './merge.ts';
import { mergeWithMesh } from './mesh-layers.ts';
import { type Sourced, valueAt, whereKey } from './source.ts';

const OWN_NETWORK = ['name', 'subnets', 'ipRange'];

export interface ReadLab {
  readonly file: LabFile;
  /** Absent when there is no lab.yaml, or none that can be used. */
  readonly sourced: Sourced | undefined;
  readonly problems: readonly Problem[];
}

/** Reads what the clusters share: the user's own defaults, and the lab's file on top of them. */
export function readLabDocument(own: SpecFile | undefined, labFiles: readonly SpecFile[]): ReadLab {
  const [first, second] = labFiles;
  const problems: Problem[] = second
    ? [{ at: second.shown, message: `${first?.shown} is the lab's file already` }]
    : [];
  const layers: Sourced[] = [];
  for (const file of [own, first]) {
    const read = file && readLayer(file);
    if (!file || !read) continue;
    problems.push(...read.problems);
    // The user's defaults do not name a lab.
    if (read.sourced) layers.push(file === own ? omitKeys(read.sourced, [], ['metadata']) : read.sourced);
  }
  const sourced = layers.length === 2 ? mergeLayers(layers[0] as Sourced, layers[1] as Sourced) : layers[0];
  const checked = sourced && problems.length === 0 ? checkSchema(labFile, sourced, plainLabFile) : undefined;
  if (checked && 'value' in checked) return { file: checked.value, sourced, problems };
  return { file: plainLabFile.parse({ kind: 'Lab' }), sourced, problems };
}

function readLayer(file: SpecFile): { sourced?: Sourced; problems: readonly Problem[] } {
  const { documents, problems } = readDocuments(file);
  const [sourced, second] = documents.filter((document) => isOfKind(document, 'lab'));
  if (!sourced) return { problems };
  const repeated = second ? [{ at: whereKey(second, []), message: 'a second kind: Lab in one file' }] : [];
  const checked = checkSchema(labFile, sourced, plainLabFile);
  return {
    sourced,
    problems: [
      ...problems,
      ...repeated,
      ...('problems' in checked ? checked.problems : []),
      ...findAdoptProblems(sourced),
    ],
  };
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
