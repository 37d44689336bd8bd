import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Change } from './change.ts';

/** Measured on one-node kind clusters: memory at rest, and the copy of the image's /var that each node makes. */
export const PER_NODE = {
  memory: 0.6 * 2 ** 30,
  disk: 1.3 * 2 ** 30,
  inotifyInstances: 30,
  inotifyWatches: 300,
} as const;

/** Bytes as a person reads them. */
export const formatBytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** Clusters that the changes make, whether for the first time or anew. */
export const clustersToMake = (changes: readonly Change[]): string[] =>
  changes.flatMap((change) =>
    change.kind === 'cluster' && (change.action === 'create' || change.action === 'recreate') ? [change.cluster] : [],
  );

/** Clusters that have to start or to join first: what they lack beyond that shows once they answer. */
export const clustersToAwait = (changes: readonly Change[]): string[] => [
  ...new Set(
    changes.flatMap((change) =>
      change.kind === 'kubeconfig' || (change.kind === 'cluster' && change.action === 'start') ? [change.cluster] : [],
    ),
  ),
];

/** Clusters to make that are routed once they run: a member of their group has a pod network that has to be told. */
export function clustersToRouteLater({ clusters }: Desired, changes: readonly Change[]): string[] {
  const groups = new Set(clusters.flatMap(({ podPools, spec }) => (podPools ? (spec.group ?? []) : [])));
  const making = clustersToMake(changes);
  return clusters
    .filter(({ name, spec }) => making.includes(name) && spec.group !== undefined && groups.has(spec.group))
    .map(({ name }) => name);
}

/** What `up` can plan only once its first round is done, as sentences; none when it need not look again. */
export function leftForLater(desired: Desired, changes: readonly Change[]): string[] {
  const list = (names: readonly string[], text: string) => (names.length > 0 ? [`${names.join(', ')}: ${text}`] : []);
  const making = clustersToMake(changes);
  const workloads = desired.workloads.filter(({ cluster }) => making.includes(cluster)).map(({ name }) => name);
  return [
    ...list(
      clustersToAwait(changes),
      'first has to start or to join; its routes, Linkerd, links and apps are planned once it answers',
    ),
    ...list(
      clustersToRouteLater(desired, changes),
      'in a group with a pod network that has to be told of its peers; its routes are planned once it runs',
    ),
    ...list(workloads, 'beside a cluster that is made first; its container is planned once that runs'),
  ];
}

/** Nodes that the changes make. */
export function nodesToMake(desired: Desired, changes: readonly Change[]): number {
  const making = new Set(clustersToMake(changes));
  return desired.clusters.reduce((sum, { name, nodes }) => sum + (making.has(name) ? nodes.length : 0), 0);
}

/** The last line of a plan: what it comes to. */
export function summariseCreate(desired: Desired, changes: readonly Change[], names: readonly string[]): string {
  const made = changes.filter((change) => change.kind === 'cluster' && change.action === 'create').length;
  const touched = new Set(changes.flatMap((change) => ('cluster' in change ? [change.cluster] : [])));
  const rebuilt = changes.filter(
    (change) => change.kind === 'cluster' && change.action === 'recreate' && change.loses,
  ).length;
  const finished = touched.size - made - rebuilt;
  const nodes = nodesToMake(desired, changes);
  const takes =
    nodes === 0
      ? 'nothing more'
      : `about ${formatBytes(nodes * PER_NODE.memory)} of memory and ${formatBytes(nodes * PER_NODE.disk)} of disk`;
  return `Plan: ${formatCount(made, 'cluster')} to create, ${rebuilt > 0 ? `${rebuilt} to rebuild (what is in it is lost), ` : ''}${finished} to finish, ${names.length - touched.size} to leave; takes ${takes}.`;
}
