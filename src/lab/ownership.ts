import type { ObservedCluster } from './observed.ts';

/**
 * How a thing shows whose it is. Docker labels cannot be set on kind's nodes, but a mount can, and `docker inspect`
 * shows it even when the node is stopped: `/dev/null` (there on every engine, also in a VM) is mounted read-only
 * under a path that carries the lab's uid.
 */
const OWNER_FOLDER = '/lab/owner';

/** Where the first server keeps what its cluster was made from; readable with `docker cp` when it is stopped. */
export const RECORD_FILE = '/lab/cluster.json';

/** The same record as an annotation of the first server's Node object, where one request reads it. */
export const RECORD_ANNOTATION = 'lab/cluster';

export const NETWORK_LABELS = { uid: 'lab.uid', name: 'lab.name', dir: 'lab.dir' } as const;

export const ownerMount = (uid: string): { source: string; target: string } => ({
  source: '/dev/null',
  target: `${OWNER_FOLDER}/${uid}`,
});

/** Whose a cluster is that is not ours, for a message. */
export function describeOwner({ owner, applied }: Pick<ObservedCluster, 'owner' | 'applied'>): string {
  if (applied) return `belongs to lab ${applied.lab} in ${applied.dir}`;
  return owner ? 'belongs to another lab' : 'was not made by lab';
}

/** Whether a cluster takes part in a lab: the lab made it, or its specs take in one that is there already. */
export const takesPart = ({ owner, existing }: Pick<ObservedCluster, 'owner' | 'existing'>, uid: string): boolean =>
  existing !== undefined || owner === uid;

/** Whether it is ready to be worked with: it once was, and its credentials are kept. */
export const isSettled = (cluster: ObservedCluster, uid: string): boolean =>
  cluster.existing ? cluster.credentials !== undefined : cluster.owner === uid && cluster.applied !== undefined;

/** The uid of the lab that made a container with these mount targets. */
export const ownerOf = (targets: readonly string[]): string | undefined =>
  targets.find((target) => target.startsWith(`${OWNER_FOLDER}/`))?.slice(OWNER_FOLDER.length + 1);
