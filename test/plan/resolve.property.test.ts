import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Desired } from '../../src/lab/desired.ts';
import type { Observed } from '../../src/lab/observed.ts';
import { bitsOf, parseAddress } from '../../src/net/address.ts';
import { contains, type Interval, overlaps, parseCidr, parseInterval } from '../../src/net/cidr.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { resolveOrNothing, type Scene, scenes } from './arbitrary-lab.ts';
import { UID, worldAfter } from './build-lab.ts';

// A machine with few cores may be busy with a real engine meanwhile.
vi.setConfig({ testTimeout: 60_000 });

const RUNS = { numRuns: 50 };
const MOST = 40;

interface Named extends Interval {
  readonly what: string;
}

const name = (what: string, ranges: readonly (string | { readonly range: string })[]): Named[] =>
  ranges.map((one) => {
    const text = typeof one === 'string' ? one : one.range;
    return { ...(parseInterval(text) as Interval), what: `${what} ${text}` };
  });

/** What the plan chose. */
const chosen = ({ clusters, network }: Desired): Named[] => [
  ...clusters.flatMap((one) => name(`pods of ${one.name}`, one.pods)),
  ...clusters.flatMap((one) => name(`services of ${one.name}`, one.services)),
  ...name(`network ${network.name}`, network.subnets),
];

/** What others hold. */
const held = ({ networks, clusters, reservations }: Observed, { network }: Desired): Named[] => [
  ...networks
    .filter((one) => one.name !== network.name)
    .flatMap((one) =>
      name(
        `network ${one.name}`,
        one.subnets.map(({ cidr }) => cidr),
      ),
    ),
  ...clusters
    .filter(({ owner }) => owner !== UID)
    .flatMap((one) => name(`cluster ${one.name}`, [...(one.ranges?.pods ?? []), ...(one.ranges?.services ?? [])])),
  ...name(
    'reservation',
    reservations.flatMap(({ cidr }) => cidr ?? []),
  ),
];

function overlapsIn(mine: readonly Named[], others: readonly Named[]): string[] {
  return mine.flatMap((one, index) =>
    [...mine.slice(index + 1), ...others]
      .filter((other) => overlaps(one, other))
      .map((other) => `${one.what} overlaps ${other.what}`),
  );
}

/** Checks every scene that has a plan, and that enough of them have one for this to say something. */
function everyPlan(check: (desired: Desired, scene: Scene) => void): void {
  let planned = 0;
  fc.assert(
    fc.property(scenes(MOST), (scene) => {
      const desired = resolveOrNothing(scene.declared, scene.world);
      if (!desired) return;
      planned++;
      check(desired, scene);
    }),
    RUNS,
  );
  expect(planned).toBeGreaterThan(RUNS.numRuns / 4);
}

describe('resolve, for any lab in any world', () => {
  it('hands out blocks only of the pod range, and one for every node at least', () => {
    let pools = 0;
    everyPlan(({ clusters }) => {
      for (const { podPools = [], pods, nodes } of clusters) {
        for (const { cidr, family, blockSize } of podPools) {
          const pool = parseCidr(cidr);
          expect(pods.some(({ range }) => contains(parseCidr(range), pool))).toBe(true);
          expect(2 ** (blockSize - pool.prefix)).toBeGreaterThanOrEqual(nodes.length);
          expect(blockSize).toBeLessThanOrEqual(bitsOf(family));
          pools += 1;
        }
      }
    });
    expect(pools).toBeGreaterThan(20);
  });

  it('never gives a range twice, nor one that somebody else has', () => {
    everyPlan((desired, { world }) => {
      expect(overlapsIn(chosen(desired), held(world, desired))).toEqual([]);
    });
  });

  it('gives each family of a cluster, and no other, room for every node and no more than Kubernetes shares out', () => {
    everyPlan((desired) => {
      for (const { spec, nodes, pods, services } of desired.clusters) {
        const families = { ipv4: [4], ipv6: [6], dual: [4, 6] }[spec.ipFamily];
        expect(pods.map(({ family }) => family).toSorted()).toEqual(families);
        expect(services.map(({ family }) => family).toSorted()).toEqual(families);
        for (const { range, family } of pods) {
          const bits = spec.network.nodeMask[family === 4 ? 0 : 1] - parseCidr(range).prefix;
          expect(2 ** bits).toBeGreaterThanOrEqual(nodes.length);
          expect(bits).toBeLessThanOrEqual(16);
        }
        for (const { range, family } of services)
          expect(bitsOf(family) - parseCidr(range).prefix).toBeLessThanOrEqual(20);
      }
    });
  });

  it('is the same, byte for byte, however often and in whatever order things were seen', () => {
    everyPlan((desired, { declared, world }) => {
      const again = structuredClone({ declared, world });
      expect(JSON.stringify(resolve(again.declared, again.world))).toBe(JSON.stringify(desired));
      const turned = {
        ...world,
        networks: world.networks.toReversed(),
        clusters: world.clusters.toReversed(),
        reservations: world.reservations.toReversed(),
      };
      expect(resolve(declared, turned).clusters).toEqual(desired.clusters);
    });
  });

  it('leaves to a running cluster what it has, when others come and go', () => {
    everyPlan((desired, { declared, world }) => {
      // Where the kernel has no IPv6, the preflight stops a create that wants it.
      if (world.host.ipv6 === false) return;
      const ranges = ({ name, pods, services, loadBalancer }: Desired['clusters'][number]) => ({
        name,
        ranges: [...pods, ...services, ...loadBalancer].map(({ range }) => range),
      });
      const after = worldAfter(desired, { ...world, clusters: world.clusters.filter(({ owner }) => owner !== UID) });
      const fewer = { ...declared, clusters: declared.clusters.filter((_, index) => index % 2 === 0) };
      const kept = resolve(fewer, after).clusters.map(ranges);
      expect(kept).toEqual(desired.clusters.filter((_, index) => index % 2 === 0).map(ranges));
      expect(resolve(declared, after).clusters.map(ranges)).toEqual(desired.clusters.map(ranges));
    });
  });

  it('keeps pools and workloads inside the subnet, outside the ip-range, apart, and off every address that is taken', () => {
    everyPlan(({ network, clusters, workloads }, { world }) => {
      const pools = [
        ...clusters.flatMap((one) => name(`pool of ${one.name}`, one.loadBalancer)),
        ...workloads.flatMap((one) =>
          name(
            `workload ${one.name}`,
            one.addresses.map(({ address }) => `${address}-${address}`),
          ),
        ),
      ];
      for (const { addresses } of workloads)
        expect(addresses.map(({ family }) => family)).toEqual(network.subnets.map(({ family }) => family));
      const attached = world.networks.find((one) => one.name === network.name)?.attached ?? [];
      for (const pool of pools) {
        const subnet = network.subnets.find(({ family }) => family === pool.family);
        const block = parseCidr(subnet?.range ?? '');
        expect(contains(block, pool), pool.what).toBe(true);
        if (subnet?.ipRange) expect(overlaps(parseCidr(subnet.ipRange), pool), pool.what).toBe(false);
        const addresses = [subnet?.gateway ?? '', ...attached.flatMap((one) => one.addresses)].map(parseAddress);
        const ends = [block.first, ...(block.family === 4 ? [block.last] : [])];
        const taken = [...addresses.filter((one) => one?.family === pool.family).map((one) => one?.value), ...ends];
        expect(
          taken.filter((value) => value !== undefined && pool.first <= value && value <= pool.last),
          pool.what,
        ).toEqual([]);
      }
      expect(overlapsIn(pools, [])).toEqual([]);
      for (const { spec, loadBalancer } of clusters) {
        const has = network.subnets.map(({ family }) => family);
        const wanted = { ipv4: [4], ipv6: [6], dual: [4, 6] }[spec.ipFamily].filter((one) =>
          has.includes(one as 4 | 6),
        );
        expect(loadBalancer.map(({ family }) => family)).toEqual(wanted);
      }
    });
  });

  it('gives workloads an address of each family that nobody hands out, has, or is given', () => {
    let found = 0;
    everyPlan(({ network, clusters, workloads }, { declared, world }) => {
      expect(workloads.map((one) => one.name)).toEqual(declared.workloads.map((one) => one.name));
      const single = (what: string, addresses: readonly string[]): Named[] =>
        addresses.map((address) => ({
          ...(parseInterval(`${address}-${address}`) as Interval),
          what: `${what} ${address}`,
        }));
      const own = workloads.flatMap((one) =>
        single(
          one.name,
          one.addresses.map(({ address }) => address),
        ),
      );
      const attached = world.networks.find((one) => one.name === network.name)?.attached ?? [];
      const others = [
        ...clusters.flatMap((one) => name(`pool of ${one.name}`, one.loadBalancer)),
        ...attached.flatMap((one) => single(one.name, one.addresses)),
        ...network.subnets.flatMap(({ gateway, ipRange }) => [
          ...single('gateway', [gateway]),
          ...name('ip-range', ipRange ? [ipRange] : []),
        ]),
      ];
      expect(overlapsIn(own, others)).toEqual([]);
      for (const { family, range } of network.subnets)
        for (const address of own.filter((one) => one.family === family))
          expect(contains(parseCidr(range), address), address.what).toBe(true);
      expect(own).toHaveLength(workloads.length * network.subnets.length);
      found += own.length;
    });
    expect(found).toBeGreaterThan(20);
  });

  it('says an overlap with the host, and only a true one', () => {
    everyPlan(({ warnings, clusters, network }) => {
      for (const text of warnings) {
        const [, use, one, range, other] =
          /^(\w+) of ([\w-]+): (\S+) overlaps .* \((\S+)\), because no room/.exec(text) ?? [];
        const ranges =
          use === 'subnet' ? network.subnets : clusters.find((two) => two.name === one)?.[use as 'pods' | 'services'];
        expect(ranges?.map((found) => found.range)).toContain(range);
        expect(overlaps(parseCidr(range ?? ''), parseInterval(other ?? '') as Interval)).toBe(true);
      }
    });
  });
});
