import { basename, resolve } from 'node:path';
import { InputError, type Problem } from '../errors.ts';
import type { Lab } from '../lab/lab.ts';
import { quoteWord } from '../step/shell.ts';
import { buildLab } from './build-lab.ts';
import { readClusters, type Secrets } from './clusters.ts';
import { findSpecFiles, type SpecFile } from './files.ts';
import { freezeDeep } from './freeze-deep.ts';
import { readLabDocument } from './lab-document.ts';
import { findLabProblems, noteEmptyGroups } from './lab-rules.ts';
import { resolveManifest } from './manifest.ts';
import { clusterDefaults } from './mesh-layers.ts';
import { findMeshProblems } from './mesh-rules.ts';
import { toName } from './names.ts';
import { arrangeProblems } from './problems.ts';
import { findRangeProblems } from './range-rules.ts';
import { printable } from './show.ts';
import { labUid, resolveReal } from './uid.ts';
import { readWorkloads } from './workloads.ts';

export { labUid };

const MANIFEST = ['spec', 'loadBalancer', 'manifest'];

export interface LoadOptions {
  /** The folder of the specs, as the user typed it. */
  readonly dir: string;
  readonly cwd: string;
  /** Goes into the lab's uid, such as the id of this machine. */
  readonly stateKey?: string;
  /** A lab.yaml of the user's own, merged under the lab's. */
  readonly defaultsFile?: string;
}

export interface LoadedLab {
  readonly lab: Lab;
  /** What the user should know, such as what each key of the old format became. */
  readonly notes: readonly string[];
  /** What `mesh.env` gives to variables. */
  readonly secrets: Secrets;
}

export interface ReadLab extends LoadedLab {
  /** All problems of all files; with any, the lab is what could be read beside them. */
  readonly problems: readonly Problem[];
  /** Whether what could be read breaks no rule. */
  readonly sound: boolean;
}

/**
 * Reads the lab that a folder declares; synchronously, because a turn of the event loop takes longer than a small file.
 * @throws InputError with all problems of all files
 */
export function loadLab(options: LoadOptions): LoadedLab {
  const { problems, lab, notes, secrets } = readLab(options);
  if (problems.length > 0) throw new InputError(arrangeProblems(problems));
  return { lab: freezeDeep(lab), notes, secrets };
}

/** The same, with the problems beside what could be read. */
export function readLab({ dir, cwd, stateKey, defaultsFile }: LoadOptions): ReadLab {
  const path = resolveReal(resolve(cwd, dir));
  const found = findSpecFiles(path, dir);
  const own = defaultsFile === undefined ? undefined : describeOwnFile(defaultsFile, cwd);
  const labFiles = found.files.filter(({ role }) => role === 'lab');
  const clusterFiles = found.files.filter(({ role }) => role === 'cluster');
  const shared = readLabDocument(own, labFiles);
  const defaults = shared.sourced && clusterDefaults(shared.sourced);
  const declared = readClusters(clusterFiles, defaults);
  const read = { ...declared, complete: declared.complete && found.problems.length === 0 };
  const { workloads, problems: workloadProblems } = readWorkloads(read.workloads, read);
  const manifest = resolveManifest(shared.file.spec.loadBalancer.manifest, shared.sourced, MANIFEST);
  const lab = buildLab({
    name: shared.file.metadata?.name ?? toName(basename(path)) ?? 'lab',
    uid: labUid(dir, cwd, stateKey),
    dir: quoteWord(dir),
    path,
    file: shared.file,
    sourced: shared.sourced,
    manifest: 'problem' in manifest ? { location: '' } : manifest,
    workloads,
    clusters: [...read.clusters].sort((a, b) => (a.name < b.name ? -1 : 1)),
  });
  const unread = [
    ...found.problems,
    ...shared.problems,
    ...read.problems,
    ...(clusterFiles.length === 0 && found.problems.length === 0 ? [describeEmpty(dir)] : []),
  ];
  const broken = [
    // What a cluster lacks may stand in lab.yaml, where it cannot be read.
    ...(shared.complete ? read.broken : []),
    ...('problem' in manifest ? [manifest.problem] : []),
    ...workloadProblems,
    ...findLabProblems(read, shared.file, shared.sourced),
    ...(shared.complete ? findMeshProblems(lab, shared.file, shared.sourced) : []),
    ...findRangeProblems(lab.clusters, lab.network),
  ];
  return {
    lab,
    notes: [
      ...read.notes,
      ...(shared.sourced ? noteEmptyGroups(lab.clusters, shared.file, shared.sourced, own?.path) : []),
    ],
    secrets: read.secrets,
    problems: [...unread, ...broken],
    sound: broken.length === 0 && shared.problems.length === 0,
  };
}

const describeOwnFile = (file: string, cwd: string): SpecFile => ({
  path: resolve(cwd, file),
  shown: printable(file),
  role: 'lab',
});

const describeEmpty = (dir: string): Problem => ({
  at: printable(dir),
  message: 'no cluster in this folder',
  hint: 'a cluster is a file NAME.yaml with apiVersion: lab/v1alpha1, kind: Cluster and metadata: {name: NAME}',
});
