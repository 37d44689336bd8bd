import { InputError } from '../errors.ts';
import type { PodPool, Range } from '../lab/desired.ts';
import { nodeCount } from '../lab/families.ts';
import type { Cluster } from '../lab/lab.ts';
import { bitsOf } from '../net/address.ts';
import { parseCidr } from '../net/cidr.ts';

/** Calico's own, as long as the pool has one for every node. */
const DEFAULT_BLOCKS = [26, 122] as const;

/**
 * The pools that Calico hands out blocks from, in the order of the pod ranges; undefined without Calico.
 * @throws InputError for a pool that has not a block of the asked size for each node
 */
export function resolvePodPools(cluster: Cluster, pods: readonly Range[]): PodPool[] | undefined {
  const { calico } = cluster.network;
  if (!calico) return undefined;
  return pods.map(({ range, family }) => {
    const pin = calico.pools.find(({ cidr }) => parseCidr(cidr).family === family);
    const cidr = pin?.cidr ?? range;
    const { prefix } = parseCidr(cidr);
    const index = family === 4 ? 0 : 1;
    const smallest = prefix + Math.ceil(Math.log2(nodeCount(cluster)));
    const blockSize = calico.blockSize?.[index] ?? Math.max(DEFAULT_BLOCKS[index], smallest);
    if (smallest <= blockSize && blockSize <= bitsOf(family)) return { cidr, family, blockSize };
    const message = `pool ${cidr} of ${cluster.name} has not a block of /${blockSize} for each of its nodes (${nodeCount(cluster)})`;
    throw new InputError([{ at: pin?.at ?? calico.at, message, hint: 'use a larger pool, or smaller blocks' }]);
  });
}
