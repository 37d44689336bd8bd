import type { Problem } from '../errors.ts';
import { familiesOf, nodeCount } from '../lab/families.ts';
import type { Cluster, Pin } from '../lab/lab.ts';
import { bitsOf, type Family } from '../net/address.ts';
import { countAddresses, parseCidr, parseInterval } from '../net/cidr.ts';
import { PROVIDERS } from '../providers/index.ts';
import { findCniProblems } from './calico-rules.ts';
import type { ClusterFile } from './cluster-schema.ts';
import { labelOf } from './issues.ts';
import { type Path, type Sourced, valueAt, whereKey, whereValue } from './source.ts';

/** kube-controller-manager refuses a larger difference between the prefixes of cluster and node. */
const MAX_NODE_BITS = 16;
/** The API server refuses more host bits. */
const MAX_SERVICE_BITS = 20;
const MIN_SERVICES = 10n;

/** What is wrong with one cluster, beyond the shape of its document. */
export function findClusterProblems(cluster: Cluster, file: ClusterFile, sourced: Sourced): Problem[] {
  const { pods, services, loadBalancer } = cluster.network;
  if (cluster.access) return [...findExistingProblems(cluster, sourced), ...findBlockProblems(cluster, file, sourced)];
  return [
    ...findAccessProblems(cluster, sourced),
    ...findFamilyProblems(cluster, 'pods', pods),
    ...findFamilyProblems(cluster, 'services', services),
    ...loadBalancer.flatMap((pin) => findForeignFamily(cluster, 'loadBalancer', pin) ?? []),
    ...findMaskProblems(cluster, file, sourced),
    ...pods.flatMap((pin) => findPodProblem(cluster, pin) ?? []),
    ...services.flatMap((pin) => findServiceProblem(pin) ?? []),
    ...findBlockProblems(cluster, file, sourced),
    ...findCniProblems(cluster, file, sourced),
    ...PROVIDERS[cluster.provider].check(cluster).map(({ path, message, ...rest }) => {
      const keys = path.split('.');
      return { at: whereValue(sourced, keys), message: `${labelOf(keys)}: ${message}`, ...rest };
    }),
  ];
}

/** Keys of `spec` and of `spec.network` that only whoever makes a cluster can choose. */
export const OF_NEW_CLUSTERS = {
  spec: ['zone', 'ipFamily', 'nodes', 'kubernetes', 'ports', 'images'],
  network: ['loadBalancer', 'nodeMask', 'proxyMode'],
} as const;

function findExistingProblems({ access }: Cluster, sourced: Sourced): Problem[] {
  const missing = { at: whereValue(sourced, ['spec', 'provider']), message: 'context is missing' };
  const refused: readonly Path[] = [
    ...OF_NEW_CLUSTERS.spec.map((key) => ['spec', key]),
    ...OF_NEW_CLUSTERS.network.map((key) => ['spec', 'network', key]),
  ];
  return [
    ...(access?.context === '' ? [{ ...missing, hint: 'which one: kubectl config get-contexts' }] : []),
    ...refused
      .filter((path) => valueAt(sourced.value, path) !== undefined)
      .map((path) => ({
        at: whereKey(sourced, path),
        message: `${labelOf(path)}: the cluster exists already, and stays as it is`,
        hint: 'leave it out',
      })),
  ];
}

const findAccessProblems = ({ provider }: Cluster, sourced: Sourced): Problem[] =>
  ['context', 'kubeconfig']
    .filter((key) => valueAt(sourced.value, ['spec', key]) !== undefined)
    .map((key) => ({
      at: whereKey(sourced, ['spec', key]),
      message: `${key}: a cluster of provider ${provider} is made, and has none yet`,
      hint: 'leave it out, or set provider to existing',
    }));

const familyOf = ({ cidr }: Pin): Family | undefined => parseInterval(cidr)?.family;

function findFamilyProblems(cluster: Cluster, key: string, pins: readonly Pin[]): Problem[] {
  return pins.flatMap((pin, index) => {
    const foreign = findForeignFamily(cluster, key, pin);
    if (foreign) return foreign;
    const first = pins.findIndex((other) => familyOf(other) === familyOf(pin));
    return first < index ? { at: pin.at, message: `${key}: a second IPv${familyOf(pin)} range` } : [];
  });
}

function findForeignFamily({ ipFamily }: Cluster, key: string, pin: Pin): Problem | undefined {
  const family = familyOf(pin);
  if (!family || familiesOf({ ipFamily }).includes(family)) return undefined;
  const message = `${key}: ${pin.cidr} is IPv${family}, but ipFamily is ${ipFamily}`;
  return { at: pin.at, message, hint: 'set ipFamily to dual, or leave the range out' };
}

function findMaskProblems(cluster: Cluster, file: ClusterFile, sourced: Sourced): Problem[] {
  const mask = file.spec.network.nodeMask;
  if (typeof mask !== 'number') return [];
  const at = whereValue(sourced, ['spec', 'network', 'nodeMask']);
  if (cluster.ipFamily === 'dual') {
    return [{ at, message: 'nodeMask: a dual-stack cluster has two', hint: 'write [24, 64]' }];
  }
  const [least, most] = cluster.ipFamily === 'ipv4' ? [8, 28] : [32, 124];
  if (mask >= least && mask <= most) return [];
  return [{ at, message: `nodeMask: expected ${least} to ${most} for ${cluster.ipFamily}, found ${mask}` }];
}

/** Every node takes a block of `nodeMask` bits out of the pod range. */
function findPodProblem(cluster: Cluster, { cidr, at }: Pin): Problem | undefined {
  const range = parseCidr(cidr);
  const mask = cluster.network.nodeMask[range.family === 4 ? 0 : 1];
  const bits = mask - range.prefix;
  const count = nodeCount(cluster);
  if (bits > MAX_NODE_BITS) {
    const hint = `at least /${mask - MAX_NODE_BITS} for nodes of /${mask}`;
    return { at, message: `pods: ${cidr} is too large for Kubernetes to share out among nodes`, hint };
  }
  if (bits >= 0 && 2 ** bits >= count) return undefined;
  const room = bits < 0 ? 'no node' : bits === 0 ? 'one node' : `${2 ** bits} nodes`;
  const message = `pods: ${cidr} has room for ${room} of /${mask}, but the cluster has ${count}`;
  return { at, message, hint: `at most /${mask - Math.ceil(Math.log2(count))}, or another nodeMask` };
}

function findServiceProblem({ cidr, at }: Pin): Problem | undefined {
  const range = parseCidr(cidr);
  if (countAddresses(range) < MIN_SERVICES) {
    return { at, message: `services: ${cidr} has fewer than ${MIN_SERVICES} addresses` };
  }
  const largest = bitsOf(range.family) - MAX_SERVICE_BITS;
  if (range.prefix >= largest) return undefined;
  const hint = `at least /${largest}`;
  return { at, message: `services: ${cidr} is larger than Kubernetes allows`, hint };
}

function findBlockProblems({ provider }: Cluster, { spec }: ClusterFile, sourced: Sourced): Problem[] {
  const others = Object.values(PROVIDERS).filter(
    ({ name }) => name !== provider && name !== 'existing' && spec[name] !== undefined,
  );
  return others.map(({ name }) => ({
    at: whereKey(sourced, ['spec', name]),
    message: `${name}: the cluster's provider is ${provider}`,
    hint: `leave the block out, or set provider to ${name}`,
  }));
}
