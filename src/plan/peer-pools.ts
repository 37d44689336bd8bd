import { cniOf } from '../cni/index.ts';
import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import { parseCidr } from '../net/cidr.ts';
import type { RunStep } from '../step/step.ts';
import { PEER_POOL } from '../tools/kube-api.ts';
import { applyStep, changeStep } from '../tools/kubectl.ts';
import { groupsOf, sharedFamilies } from './resolve-routes.ts';

/** A peer's pod range that a cluster's pod network is told of, so that it leaves packets to it as they are. */
export interface PeerPool {
  readonly name: string;
  readonly cidr: string;
  readonly peer: string;
  /** While the peer does not run its range is a guess. */
  readonly assumed: boolean;
}

/** What one cluster lacks, and what it has of ours that nobody wants any more. */
export interface PoolChange {
  readonly cluster: string;
  readonly add: readonly PeerPool[];
  readonly remove: readonly string[];
}

/** The pools of peers that a cluster should have; none where rules on its nodes do the same. */
export function peerPoolsOf(desired: Desired, cluster: string): PeerPool[] {
  const group = groupsOf(desired.clusters).find((members) => members.some(({ name }) => name === cluster)) ?? [];
  const own = group.find(({ name }) => name === cluster);
  const cni = own && cniOf(own);
  if (!own?.spec.network.preserveSourceIP || !cni || cni.exemption) return [];
  return group
    .filter((peer) => peer !== own)
    .flatMap((peer) =>
      peer.pods
        .filter(({ family }) => sharedFamilies(own, peer).includes(family))
        .map(({ range, family }) => ({
          name: `lab-${peer.name}-v${family}`,
          cidr: range,
          peer: peer.name,
          assumed: desired.nodes.some((node) => node.cluster === peer.name && node.assumed),
        })),
    );
}

/** The differences of every named cluster that says what it has. */
export function diffPeerPools(desired: Desired, observed: Observed, names: readonly string[]): PoolChange[] {
  return names.flatMap((cluster) => {
    const have = observed.clusters.find(({ name, owner }) => name === cluster && owner === desired.lab.uid)?.api?.calico
      ?.peerPools;
    if (!have) return [];
    const wanted = peerPoolsOf(desired, cluster).filter(({ assumed }) => !assumed);
    const same = (a: { name: string; cidr: string }, b: { name: string; cidr: string }) =>
      a.name === b.name && parseCidr(a.cidr).first === parseCidr(b.cidr).first;
    const add = wanted.filter((pool) => !have.some((one) => same(one, pool)));
    const remove = have.filter((pool) => !wanted.some((one) => same(one, pool))).map(({ name }) => name);
    return add.length + remove.length > 0 ? [{ cluster, add, remove }] : [];
  });
}

/** What clusters that go leave in the pod networks of those that stay. */
export function departedPools(observed: Observed, uid: string, going: readonly string[]): PoolChange[] {
  const gone = going.flatMap((name) => [`lab-${name}-v4`, `lab-${name}-v6`]);
  return observed.clusters
    .filter(({ name, owner }) => owner === uid && !going.includes(name))
    .flatMap(({ name, api }) => {
      const remove = (api?.calico?.peerPools ?? []).map((pool) => pool.name).filter((pool) => gone.includes(pool));
      return remove.length > 0 ? [{ cluster: name, add: [], remove }] : [];
    });
}

/** A range cannot be changed in place: what is stale goes first. */
export function poolSteps({ cluster, add, remove }: PoolChange): RunStep[] {
  const title = `forget the pods of ${remove.map(peerOf).join(', ')}`;
  const removal = changeStep(
    cluster,
    `${cluster}/peer-pools-stale`,
    title,
    [],
    [...['delete', PEER_POOL.resource, ...remove, '--ignore-not-found']],
  );
  const addition = applyStep({
    id: `${cluster}/peer-pools`,
    title: `leave packets to pods of ${[...new Set(add.map(({ peer }) => peer))].join(', ')} as they are`,
    cluster,
    needs: remove.length > 0 ? [removal.id] : [],
    from: { objects: add.map(manifestOf) },
    why: 'Calico gives packets the address of the node unless an IPPool holds their destination; these hand out none.',
  });
  return [...(remove.length > 0 ? [removal] : []), ...(add.length > 0 ? [addition] : [])];
}

const peerOf = (pool: string): string => pool.replace(/^lab-(.*)-v[46]$/, '$1');

function manifestOf({ name, cidr, peer }: PeerPool) {
  const { family, prefix } = parseCidr(cidr);
  return {
    apiVersion: PEER_POOL.apiVersion,
    kind: 'IPPool',
    metadata: { name, labels: { [PEER_POOL.label]: peer } },
    spec: {
      cidr,
      disabled: true,
      natOutgoing: false,
      ipipMode: 'Never',
      vxlanMode: 'Never',
      blockSize: Math.max(prefix, family === 4 ? 26 : 122),
      nodeSelector: 'all()',
    },
  };
}
