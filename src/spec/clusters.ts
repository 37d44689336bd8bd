import type { Problem } from '../errors.ts';
import type { Cluster } from '../lab/lab.ts';
import { PROVIDERS } from '../providers/index.ts';
import { readApps } from './build-apps.ts';
import { buildCalico } from './build-calico.ts';
import { buildCluster } from './build-cluster.ts';
import { readSecrets } from './build-mesh.ts';
import { findClusterProblems, OF_NEW_CLUSTERS } from './cluster-rules.ts';
import { clusterFile, plainClusterFile } from './cluster-schema.ts';
import { isOfKind, isWorkload, kindOf, readDocuments } from './documents.ts';
import type { SpecFile } from './files.ts';
import { checkSchema } from './issues.ts';
import { resolveManifest } from './manifest.ts';
import { omitKeys } from './merge.ts';
import { mergeWithMesh } from './mesh-layers.ts';
import { convertOldFormat, OLD_KIND } from './old-format.ts';
import { type Sourced, valueAt, whereValue } from './source.ts';

const GATEWAY_API = ['spec', 'mesh', 'gatewayAPI', 'manifest'];

/** The name of a cluster, also when the rest of its document is wrong. */
export interface Declaration {
  readonly name: string;
  readonly at: string;
}

/** Values of variables by cluster and name: licences and the like, so they are in nothing that is printed. */
export type Secrets = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface ReadClusters {
  readonly clusters: readonly Cluster[];
  readonly secrets: Secrets;
  readonly declarations: readonly Declaration[];
  /** What the same files say of workloads outside of clusters. */
  readonly workloads: readonly Sourced[];
  /** Whether every cluster of the lab is among the declarations. */
  readonly complete: boolean;
  readonly problems: readonly Problem[];
  /** Rules that clusters break, each taken by itself with what lab.yaml gives it. */
  readonly broken: readonly Problem[];
  readonly notes: readonly string[];
}

/** Reads all clusters, with `defaults` (a document with only `spec`) under each. */
export function readClusters(files: readonly SpecFile[], defaults: Sourced | undefined): ReadClusters {
  const parsed = files.map(readDocuments);
  const documents = parsed.flatMap((file) => file.documents.filter((document) => isOfKind(document, 'cluster')));
  const read = documents.map((document) => readCluster(document, defaults));
  const declarations = read.flatMap(({ declaration }) => declaration ?? []);
  return {
    clusters: read.flatMap(({ cluster }) => cluster ?? []),
    secrets: Object.fromEntries(
      read.flatMap(({ cluster, secrets = {} }) => (cluster ? [[cluster.name, secrets]] : [])),
    ),
    declarations,
    workloads: parsed.flatMap((file) => file.documents.filter(isWorkload)),
    complete: parsed.every(({ complete }) => complete) && declarations.length === documents.length,
    problems: [...parsed.flatMap(({ problems }) => problems), ...read.flatMap(({ problems }) => problems)],
    broken: read.flatMap(({ broken = [] }) => broken),
    notes: read.flatMap(({ notes }) => notes),
  };
}

interface ReadCluster {
  readonly cluster?: Cluster;
  readonly secrets?: Secrets[string];
  readonly declaration: Declaration | undefined;
  readonly problems: readonly Problem[];
  readonly broken?: readonly Problem[];
  readonly notes: readonly string[];
}

function readCluster(document: Sourced, defaults: Sourced | undefined): ReadCluster {
  const converted = kindOf(document) === OLD_KIND ? convertOldFormat(document) : { sourced: document, notes: [] };
  if ('problems' in converted) return { declaration: declare(document), problems: converted.problems, notes: [] };
  const { notes } = converted;
  const sourced = applyDefaults(converted.sourced, defaults);
  const declaration = declare(sourced);
  const checked = checkSchema(clusterFile, sourced, plainClusterFile);
  if ('problems' in checked) return { declaration, problems: checked.problems, notes };
  const { mesh } = checked.value.spec;
  const manifest = resolveManifest(mesh?.gatewayAPI.manifest ?? '', mesh && sourced, GATEWAY_API);
  const { apps, problems } = readApps(checked.value.spec, sourced);
  const calico = buildCalico(checked.value, sourced);
  const gatewayAPI = 'problem' in manifest ? { location: '' } : manifest;
  const cluster = buildCluster(checked.value, sourced, gatewayAPI, apps, calico.calico);
  return {
    cluster,
    secrets: readSecrets(mesh),
    declaration,
    problems: [],
    broken: [
      ...findClusterProblems(cluster, checked.value, sourced),
      ...('problem' in manifest ? [manifest.problem] : []),
      ...problems,
      ...calico.problems,
    ],
    notes,
  };
}

function declare(sourced: Sourced): Declaration | undefined {
  const name = valueAt(sourced.value, ['metadata', 'name']);
  if (typeof name !== 'string') return undefined;
  return { name, at: whereValue(sourced, ['metadata', 'name']) };
}

/** Defaults may have a block for every provider and pod network; a cluster takes only those of its own. */
function applyDefaults(sourced: Sourced, defaults: Sourced | undefined): Sourced {
  if (!defaults) return sourced;
  const path = ['spec', 'provider'];
  const provider = valueAt(sourced.value, path) ?? valueAt(defaults.value, path) ?? 'kind';
  const others = Object.keys(PROVIDERS).filter((name) => name !== provider);
  const foreign = provider === 'existing' ? OF_NEW_CLUSTERS.spec : ['context', 'kubeconfig'];
  const own = omitKeys(defaults, ['spec'], [...others, ...foreign]);
  const cni = [defaults, sourced].map((one) => valueAt(one.value, ['spec', 'network', 'cni'])).findLast(Boolean);
  const network = [
    ...(provider === 'existing' ? OF_NEW_CLUSTERS.network : []),
    ...(cni === 'calico' ? [] : ['calico']),
  ];
  return mergeWithMesh(omitKeys(own, ['spec', 'network'], network), sourced);
}
