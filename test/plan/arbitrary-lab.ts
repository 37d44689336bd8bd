import fc from 'fast-check';
import { LabError } from '../../src/errors.ts';
import type { Cluster, Lab } from '../../src/lab/lab.ts';
import type { DockerNetwork, HostState, Observed, ObservedCluster, Reservation } from '../../src/lab/observed.ts';
import type { Workload } from '../../src/lab/workload.ts';
import { formatAddress } from '../../src/net/address.ts';
import { parseCidr } from '../../src/net/cidr.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { apps } from './arbitrary-apps.ts';
import {
  calico,
  cluster,
  dockerNetwork,
  foreign,
  lab,
  OTHER_UID,
  OUR_LABELS,
  observed,
  worldAfter,
} from './build-lab.ts';

/** A lab, and a world in which some of its clusters may run already. */
export interface Scene {
  readonly declared: Lab;
  readonly world: Observed;
}

const byte = fc.nat(255);
const sometimes = <T>(value: fc.Arbitrary<T>, weight = 4) => fc.option(value, { nil: undefined, freq: weight });

const clusterWords = fc.record({
  ipFamily: fc.constantFrom('ipv4' as const, 'ipv4' as const, 'ipv6' as const, 'dual' as const),
  servers: fc.constantFrom(1, 1, 1, 3),
  workers: fc.constantFrom(0, 0, 1, 2, 7, 40),
  mask: fc.constantFrom([24, 64] as const, [24, 64] as const, [26, 72] as const, [20, 60] as const),
  pinned: fc.nat(9),
  provider: fc.constantFrom('kind' as const, 'kind' as const, 'k3d' as const),
  // Proxies need a mesh, which these clusters have not.
  apps: fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    apps.map((list) => list.map((app) => ({ ...app, inject: false }))),
  ),
  calico: sometimes(fc.constantFrom('VXLANCrossSubnet' as const, 'IPIP' as const, 'None' as const), 3),
});

/** Pins of the clusters never overlap: the reader of the specs refuses that already. */
const clusters = (max: number): fc.Arbitrary<Cluster[]> =>
  fc.array(clusterWords, { minLength: 1, maxLength: max }).map((list) =>
    list.map(({ servers, workers, mask, pinned, calico: encapsulation, ...words }, index) => {
      const provider = words.ipFamily === 'ipv6' ? 'kind' : words.provider;
      const v4 = words.ipFamily !== 'ipv6';
      const fits = 2 ** (mask[0] - 16) >= servers + workers;
      const v6 = words.ipFamily !== 'ipv4';
      return cluster(`c${String(index).padStart(2, '0')}`, {
        ...words,
        provider,
        ...(encapsulation && provider === 'kind' && calico({ encapsulation })),
        nodes: { servers, workers },
        nodeMask: mask,
        ...(pinned === 0 && {
          pods: [
            ...(v6 ? [`fd00:10:${index + 1}00::/${mask[1] - 12}`] : []),
            ...(v4 && fits ? [`10.${index + 1}.0.0/16`] : []),
          ],
        }),
        ...(pinned === 1 && v4 && { services: [`10.${128 + index}.0.0/20`] }),
      });
    }),
  );

/** A few programs beside clusters, whose addresses are all planned: most pins would be refused. */
const workloads = (list: readonly Cluster[]): fc.Arbitrary<Workload[]> =>
  fc.array(fc.nat(39), { maxLength: 4 }).map((words) =>
    words.map((of, index) => ({
      name: `w${index}`,
      at: `w${index}.yaml:3`,
      cluster: list[of % list.length]?.name ?? '',
      namespace: 'default',
      image: 'lab/probe:local',
      env: {},
      ports: [],
      labels: {},
      addresses: [],
      digest: 'digest',
    })),
  );

/** Networks as kind, engines 27 to 29, and people make them. */
const subnets = fc
  .record({
    v4: fc.constantFrom('172.18.0.0/16', '172.30.16.0/20', '192.168.77.0/24', '192.168.50.64/26'),
    v6: sometimes(fc.constantFrom('fd00:1ab::/64', 'fc00:f853:ccd:e793::/64', 'fd12:3456::/48')),
    ipRange: fc.boolean(),
    gateway: fc.boolean(),
    v6First: fc.boolean(),
  })
  .map(({ v4, v6, ipRange, gateway, v6First }) => {
    const list = [v4, ...(v6 ? [v6] : [])].map((cidr) => {
      const { family, first, prefix } = parseCidr(cidr);
      const part = family === 4 ? prefix + 1 : 112;
      return {
        cidr,
        ...(gateway && { gateway: formatAddress({ family, value: first + 1n }) }),
        ...(ipRange && { ipRange: `${formatAddress({ family, value: first })}/${part}` }),
      };
    });
    return v6First ? list.reverse() : list;
  });

const attachedTo = (list: readonly { readonly cidr: string }[], hosts: readonly number[]) =>
  hosts.map((host, index) => ({
    name: `container-${index}`,
    addresses: list.map(({ cidr }) => {
      const { family, first } = parseCidr(cidr);
      return formatAddress({ family, value: first + 2n + BigInt(host) });
    }),
  }));

/** How the lab's network is there: not yet, ours, or somebody else's that is adopted. */
const network = fc.record({
  how: fc.constantFrom('absent' as const, 'absent' as const, 'ours' as const, 'adopted' as const),
  subnets,
  hosts: fc.uniqueArray(fc.nat(55), { maxLength: 5 }),
});

const foreignNetworks: fc.Arbitrary<DockerNetwork[]> = fc
  .uniqueArray(fc.oneof(byte, fc.constantFrom(0, 1, 2)), { maxLength: 12 })
  .map((list) =>
    list.map((n, index) =>
      dockerNetwork(
        `net-${index}`,
        index % 3 === 0 ? [`10.${n}.0.0/20`] : index % 3 === 1 ? [`172.28.${n}.0/24`] : [`fd00:10:${n}::/64`],
      ),
    ),
  );

const foreignClusters: fc.Arbitrary<ObservedCluster[]> = fc.uniqueArray(byte, { maxLength: 6 }).map((list) =>
  list.map((n, index) =>
    foreign(`other-${index}`, {
      provider: index % 2 ? 'k3d' : 'kind',
      ranges: { pods: [`10.${n}.0.0/16`, `fd00:10:${n}::/56`], services: [`10.${255 - n}.128.0/18`] },
    }),
  ),
);

const host: fc.Arbitrary<HostState> = fc
  .record({
    routes: fc.subarray([
      ...[
        '10.0.0.0/8',
        '10.8.0.0/24',
        '10.1.128.0/17',
        '192.168.1.0/24',
        '172.16.0.0/12',
        'fd00::/8',
        'fd00:10:1::/48',
      ],
    ]),
    ipv6: fc.constantFrom(true, true, true, false),
  })
  .map(({ routes, ipv6 }) => ({
    platform: 'linux',
    routes: routes.map((cidr) => ({ cidr, via: 'tun0' })),
    resolvers: ['10.0.0.53', 'fd00:10::53'],
    portsInUse: [],
    ipv6,
  }));

const reservations: fc.Arbitrary<Reservation[]> = fc
  .uniqueArray(byte, { maxLength: 4 })
  .map((list) =>
    list.map((n) => ({ uid: OTHER_UID, lab: 'other', cidr: `10.${n}.64.0/18`, use: `pods of other-${n}` })),
  );

/** Where networks, pods and services may all come from. */
const POOL = { v4: '10.0.0.0/8', v6: 'fd00:10::/32' };

/** Labs of up to `max` clusters in worlds of every kind; where possible, some of the clusters run already. */
export const scenes = (max: number): fc.Arbitrary<Scene> =>
  fc
    .record({
      beside: clusters(max).chain((list) => fc.record({ clusters: fc.constant(list), workloads: workloads(list) })),
      network,
      foreignNetworks,
      foreignClusters,
      host,
      reservations,
      size: fc.constantFrom(1, 4, 16, 100),
      onePool: fc.boolean(),
      running: fc.array(fc.boolean(), { minLength: max, maxLength: max }),
    })
    .map(({ beside: { clusters, workloads: outside }, network, foreignNetworks, running, size, onePool, ...rest }) => {
      const { how, subnets, hosts } = network;
      const there = how !== 'absent';
      const declared = lab(clusters, {
        network: { name: how === 'adopted' ? 'kind' : 'lab-practical', adopt: how === 'adopted' },
        workloads: outside,
        ranges: { loadBalancer: { size }, ...(onePool && { networks: POOL, pods: POOL, services: POOL }) },
      });
      const own = dockerNetwork(declared.network.name, subnets, {
        labels: how === 'ours' ? OUR_LABELS : {},
        attached: attachedTo(subnets, hosts),
      });
      const { foreignClusters, ...seen } = rest;
      const empty = observed({
        ...seen,
        clusters: foreignClusters,
        networks: [...foreignNetworks, ...(there ? [own] : [])],
      });
      const subset = clusters.filter((_, index) => running[index]);
      return { declared, world: withRunning(declared, subset, empty) };
    });

function withRunning(declared: Lab, clusters: readonly Cluster[], empty: Observed): Observed {
  if (clusters.length === 0) return empty;
  const workloads = declared.workloads.filter((one) => clusters.some(({ name }) => name === one.cluster));
  const desired = resolveOrNothing({ ...declared, clusters, workloads }, empty);
  return desired ? worldAfter(desired, empty) : empty;
}

/** What should be; undefined when there is no such plan, which is then said as an error of ours. */
export function resolveOrNothing(declared: Lab, world: Observed) {
  try {
    return resolve(declared, world);
  } catch (error) {
    if (error instanceof LabError) return undefined;
    throw error;
  }
}
