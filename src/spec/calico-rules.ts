import type { Problem } from '../errors.ts';
import { familiesOf } from '../lab/families.ts';
import type { Cluster, Pin } from '../lab/lab.ts';
import { contains, parseCidr } from '../net/cidr.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { ClusterFile } from './cluster-schema.ts';
import { type Sourced, whereKey, whereValue } from './source.ts';

const NETWORK = ['spec', 'network'];

/** What is wrong with the pod network of a cluster. */
export function findCniProblems(cluster: Cluster, file: ClusterFile, sourced: Sourced): Problem[] {
  const { provider, network } = cluster;
  const { cni: own, otherCnis = [] } = PROVIDERS[provider];
  const cnis = [...(own ? [own] : []), ...otherCnis];
  if (network.cni && !cnis.includes(network.cni)) {
    const message = `cni: ${provider} cannot have ${network.cni}`;
    const hint = cnis.length > 0 ? `it can have ${cnis.join(' or ')}` : 'leave it out: it is seen';
    return [{ at: whereValue(sourced, [...NETWORK, 'cni']), message, hint }];
  }
  if (!network.calico) {
    const at = whereKey(sourced, [...NETWORK, 'calico']);
    const hint = 'set cni: calico, or leave the block out';
    return file.spec.network.calico
      ? [{ at, message: `calico: the pod network is ${network.cni ?? own ?? 'its own'}`, hint }]
      : [];
  }
  const { pools, blockSize } = network.calico;
  const sizes = file.spec.network.calico?.blockSize;
  const at = whereValue(sourced, [...NETWORK, 'calico', 'blockSize']);
  return [
    ...(typeof sizes === 'number' && cluster.ipFamily === 'dual'
      ? [{ at, message: 'blockSize: a dual-stack cluster has two', hint: 'write [26, 122]' }]
      : []),
    ...pools.flatMap((pool, index) => findPoolProblem(cluster, pool, pools.slice(0, index)) ?? []),
    ...(blockSize ? pools.flatMap((pool) => findBlockProblem(pool, blockSize) ?? []) : []),
  ];
}

/** Calico's operator takes no pool that kubeadm's podSubnet does not hold. */
function findPoolProblem(cluster: Cluster, { cidr, at }: Pin, before: readonly Pin[]): Problem | undefined {
  const pool = parseCidr(cidr);
  const { family } = pool;
  if (!familiesOf(cluster).includes(family))
    return { at, message: `pools: ${cidr} is IPv${family}, but ipFamily is ${cluster.ipFamily}` };
  if (before.some((one) => parseCidr(one.cidr).family === family))
    return { at, message: `pools: a second IPv${family} pool` };
  const pods = cluster.network.pods.find((pin) => parseCidr(pin.cidr).family === family);
  if (!pods) {
    const hint = 'pin spec.network.pods, too, or leave the pool out: it is then the whole pod range';
    return { at, message: `pools: ${cidr} is part of no pinned pod range`, hint };
  }
  if (contains(parseCidr(pods.cidr), pool)) return undefined;
  return { at, message: `pools: ${cidr} is outside the pod range ${pods.cidr} (${pods.at})`, hint: 'use a part of it' };
}

function findBlockProblem({ cidr, at }: Pin, sizes: readonly [number, number]): Problem | undefined {
  const { family, prefix } = parseCidr(cidr);
  const size = sizes[family === 4 ? 0 : 1];
  return size >= prefix ? undefined : { at, message: `pools: ${cidr} is smaller than one block of /${size}` };
}
