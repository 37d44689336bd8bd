import { describe, expect, it } from 'vitest';
import type { HostState, Observed } from '../../src/lab/observed.ts';
import { resolve } from '../../src/plan/resolve.ts';
import {
  type ClusterWords,
  change,
  cluster,
  errorOf,
  foreign,
  lab,
  OTHER_UID,
  observed,
  worldAfter,
} from './build-lab.ts';

const withRoutes = (...cidrs: string[]): HostState => ({
  platform: 'linux',
  routes: cidrs.map((cidr) => ({ cidr, via: 'tun0' })),
  resolvers: [],
  portsInUse: [],
});

const rangesOf = (declared: ReturnType<typeof lab>, world: Observed = observed()) =>
  resolve(declared, world).clusters.map(({ name, pods, services }) =>
    [name, ...[...pods, ...services].map(({ range }) => range)].join(' '),
  );

const rangesOfOne = (words: ClusterWords, world?: Observed) => rangesOf(lab([cluster('a', words)]), world)[0];

describe('the size of ranges', () => {
  it('is a /16 and a /56 for pods, a /16 and a /112 for services, in the order of names', () => {
    expect(rangesOf(lab(['b', cluster('a', { ipFamily: 'dual' }), cluster('c', { ipFamily: 'ipv6' })]))).toEqual([
      'a 10.0.0.0/16 fd00:10::/56 10.128.0.0/16 fd00:96::/112',
      'b 10.1.0.0/16 10.129.0.0/16',
      'c fd00:10:0:100::/56 fd00:96::1:0/112',
    ]);
  });

  it('shrinks for all alike until the whole lab fits', () => {
    const ranges = { pods: { v4: '10.0.0.0/16', v6: 'fd00:10::/32' } };
    const names = ['a', 'b', 'c', 'd', 'e'];
    expect(rangesOf(lab(names, { ranges })).map((text) => text.split(' ')[1])).toEqual([
      ...['10.0.0.0/19', '10.0.32.0/19', '10.0.64.0/19', '10.0.96.0/19', '10.0.128.0/19'],
    ]);
  });

  it('is never smaller than the nodes need', () => {
    const ranges = { pods: { v4: '10.0.0.0/18', v6: 'fd00:10::/32' } };
    const clusters = [cluster('large', { nodes: { servers: 3, workers: 29 } }), 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    expect(rangesOf(lab(clusters, { ranges })).map((text) => text.split(' ')[1])).toEqual([
      ...['10.0.32.0/22', '10.0.36.0/22', '10.0.40.0/22', '10.0.44.0/22', '10.0.48.0/22', '10.0.52.0/22'],
      ...['10.0.56.0/22', '10.0.0.0/19'],
    ]);
  });

  it.each([
    ['a small node mask', { nodeMask: [28, 80] }, 'a 10.0.0.0/16 fd00:10::/64 10.128.0.0/16 fd00:96::/112'],
    ['a large node mask', { nodeMask: [16, 52] }, 'a 10.0.0.0/16 fd00:10::/52 10.128.0.0/16 fd00:96::/112'],
    [
      'a large node mask and nodes',
      { nodeMask: [16, 52], nodes: { workers: 2 } },
      'a 10.0.0.0/14 fd00:10::/50 10.128.0.0/16 fd00:96::/112',
    ],
  ] satisfies [string, ClusterWords, string][])('follows %s', (_, words, expected) => {
    expect(rangesOfOne({ ipFamily: 'dual', ...words })).toBe(expected);
  });
});

describe('where ranges come from', () => {
  it('is the spec first, and its order of families', () => {
    const pinned = lab([
      cluster('a', { ipFamily: 'dual', pods: ['fd00:77::/56', '10.77.0.0/16'], services: ['10.78.0.0/16'] }),
    ]);
    const [a] = resolve(pinned, observed()).clusters;
    expect(a?.pods).toEqual([
      { range: 'fd00:77::/56', family: 6, reason: 'pinned in a.yaml:pods:1' },
      { range: '10.77.0.0/16', family: 4, reason: 'pinned in a.yaml:pods:2' },
    ]);
    expect(a?.services).toEqual([
      { range: 'fd00:96::/112', family: 6, reason: 'first free /112 of fd00:96::/64' },
      { range: '10.78.0.0/16', family: 4, reason: 'pinned in a.yaml:services:1' },
    ]);
  });

  const V4 = ['10.77.0.0/16', '10.78.0.0/16'] as const;
  const V6 = ['fd00:77::/56', 'fd00:78::/112'] as const;
  it.each([
    ['IPv4', { pods: [V6[0]] }],
    ['IPv4', { services: [V6[1]] }],
    ['IPv4', { pods: [V6[0]], services: [V6[1]] }],
    ['IPv6', { services: [V6[1], V4[1]] }],
    // kubeadm follows the services.
    ['IPv6', { pods: [V4[0], V6[0]], services: [V6[1], V4[1]] }],
    ['IPv4', { pods: [V6[0], V4[0]], services: [V4[1], V6[1]] }],
  ] satisfies [string, ClusterWords][])('begins with %s for pods and services alike: %j', (first, words) => {
    const [a] = resolve(lab([cluster('a', { ipFamily: 'dual', ...words })]), observed()).clusters;
    const order = first === 'IPv4' ? [4, 6] : [6, 4];
    expect([a?.pods, a?.services].map((ranges) => ranges?.map(({ family }) => family))).toEqual([order, order]);
  });

  it('keeps its order of families when the pins of a running cluster are gone', () => {
    const pinned = lab([cluster('a', { ipFamily: 'dual', services: ['fd00:78::/112', '10.78.0.0/16'] })]);
    const world = worldAfter(resolve(pinned, observed()));
    expect(rangesOf(lab([cluster('a', { ipFamily: 'dual' })]), world)).toEqual([
      'a fd00:10::/56 10.0.0.0/16 fd00:78::/112 10.78.0.0/16',
    ]);
  });

  it('is not what runs when the nodes no longer fit into it', () => {
    const small = cluster('m', { pods: ['10.9.0.0/23'], services: ['10.10.0.0/28'], nodes: { workers: 1 } });
    const world = worldAfter(resolve(lab([small]), observed()));
    const podsWith = (words: ClusterWords) => rangesOf(lab([cluster('m', words)]), world);
    expect(podsWith({ nodes: { workers: 1 } })).toEqual(['m 10.9.0.0/23 10.10.0.0/28']);
    expect(podsWith({ nodes: { workers: 2 } })).toEqual(['m 10.0.0.0/16 10.10.0.0/28']);
    expect(podsWith({ nodeMask: [28, 64], nodes: { workers: 31 } })).toEqual(['m 10.9.0.0/23 10.10.0.0/28']);
    // Kubernetes shares a range out to at most 2^16 nodes.
    const large = change(world, 'm', () => ({ ranges: { pods: ['10.0.0.0/11'], services: ['10.128.0.0/16'] } }));
    expect(rangesOf(lab([cluster('m', { nodeMask: [28, 64] })]), large)[0]).not.toContain('/11');
  });

  it('is what runs, then what is free, with the reason', () => {
    const world = worldAfter(resolve(lab(['m']), observed()));
    const [a, m] = resolve(lab(['a', 'm']), world).clusters;
    expect(m?.pods).toEqual([{ range: '10.0.0.0/16', family: 4, reason: 'the running cluster has it' }]);
    expect(a?.pods).toEqual([{ range: '10.1.0.0/16', family: 4, reason: 'first free /16 of 10.0.0.0/9' }]);
  });

  it.each([
    ['another cluster', { clusters: [foreign('x', { ranges: { pods: ['10.0.0.0/15'], services: [] } })] }],
    [
      'another cluster, whose tool lets host bits stand',
      { clusters: [foreign('x', { ranges: { pods: ['10.0.0.7/15'], services: [] } })] },
    ],
    ['a create in progress', { reservations: [{ uid: OTHER_UID, lab: 'x', cidr: '10.0.0.0/15', use: 'pods of x' }] }],
    ['a host route', { host: withRoutes('10.0.3.0/24', '10.1.0.0/16') }],
    ['a resolver', { host: { ...withRoutes('10.1.0.0/16'), resolvers: ['10.0.0.53', 'fd00::53'] } }],
  ] satisfies [string, Partial<Observed>][])('is not what %s has', (_, more) => {
    expect(rangesOfOne({}, observed(more))).toBe('a 10.2.0.0/16 10.128.0.0/16');
  });

  it('is not what this very lab has reserved: that is its own earlier choice', () => {
    const reservations = [{ uid: lab([]).uid, lab: 'practical', cidr: '10.0.0.0/15', use: 'pods of a' }];
    expect(rangesOfOne({}, observed({ reservations }))).toBe('a 10.0.0.0/16 10.128.0.0/16');
  });

  it("leaves kind's and k3s' defaults to clusters that are made by hand", () => {
    const ranges = {
      pods: { v4: '10.42.0.0/14', v6: 'fd00:10::/32' },
      services: { v4: '10.96.0.0/11', v6: 'fd00:96::/64' },
    };
    expect(rangesOf(lab(['a'], { ranges }))).toEqual(['a 10.40.0.0/16 10.112.0.0/16']);
  });

  it('is the host’s after all, with a warning, when a VPN routes all of 10/8', () => {
    const desired = resolve(lab(['a']), observed({ host: withRoutes('10.0.0.0/8') }));
    expect(desired.clusters[0]?.pods).toEqual([
      {
        range: '10.0.0.0/16',
        family: 4,
        reason: 'first free /16 of 10.0.0.0/9, although the host uses it',
      },
    ]);
    expect(desired.warnings).toEqual([
      "pods of a: 10.0.0.0/16 overlaps the host's route via tun0 (10.0.0.0/8), because no room is left beside it",
      "services of a: 10.128.0.0/16 overlaps the host's route via tun0 (10.0.0.0/8), because no room is left beside it",
    ]);
  });
});

describe('ranges that cannot be', () => {
  it('names the pool, the size and who takes the room', () => {
    const world = observed({
      clusters: [
        foreign('small', { ranges: { pods: ['10.0.0.0/25'], services: [] } }),
        foreign('big', { provider: 'k3d', ranges: { pods: ['10.0.128.0/17'], services: [] } }),
      ],
    });
    const ranges = { pods: { v4: '10.0.0.0/16', v6: 'fd00:10::/32' } };
    const clusters = [cluster('a', { nodes: { workers: 99 } }), cluster('b', { nodes: { workers: 3 } })];
    expect(errorOf(() => resolve(lab(clusters, { ranges }), world))).toEqual({
      exitCode: 2,
      text: [
        'lab.yaml:4: no room for pods of 2 clusters: 10.0.0.0/16 has not enough free blocks of /17 or /22; it is taken by k3d cluster big (10.0.128.0/17), kind cluster small (10.0.0.0/25) (name a larger pool in lab.yaml: spec.ranges.pods.v4)',
      ],
      hint: undefined,
    });
  });

  it('says that nothing else takes the room when the pool is just too small', () => {
    const ranges = { services: { v4: '10.128.0.0/28', v6: 'fd00:96::/64' } };
    expect(errorOf(() => resolve(lab(['a'], { ranges }), observed()))).toMatchObject({
      exitCode: 2,
      text: [
        'lab.yaml:4: no room for services of 1 cluster: 10.128.0.0/28 has not enough free blocks of /26; it is taken by nothing else (name a larger pool in lab.yaml: spec.ranges.services.v4)',
      ],
    });
  });

  it('names every pin that something else holds', () => {
    const pinned = lab([cluster('a', { pods: ['10.5.0.0/16'] }), cluster('b', { services: ['10.200.0.0/16'] })]);
    const world = observed({
      clusters: [foreign('x', { ranges: { pods: ['10.5.5.0/24'], services: [] } })],
      reservations: [{ uid: OTHER_UID, lab: 'other', cidr: '10.200.0.0/20', use: 'services of y' }],
    });
    const hint = '(pin another range, or leave it to the planner)';
    expect(errorOf(() => resolve(pinned, world))).toMatchObject({
      exitCode: 2,
      text: [
        `a.yaml:pods:1: 10.5.0.0/16 is held by kind cluster x (10.5.5.0/24) ${hint}`,
        `b.yaml:services:1: 10.200.0.0/16 is held by services of y of lab other, being created (10.200.0.0/20) ${hint}`,
      ],
    });
  });

  it('is what another cluster of the same lab runs with; its own is not', () => {
    const world = worldAfter(resolve(lab(['m']), observed()));
    const pinned = lab([cluster('a', { pods: ['10.0.0.0/16'] }), 'm']);
    expect(errorOf(() => resolve(pinned, world)).text).toEqual([
      'a.yaml:pods:1: 10.0.0.0/16 is held by kind cluster m (pin another range, or leave it to the planner)',
    ]);
    expect(rangesOf(lab([cluster('m', { pods: ['10.0.0.0/16'] })]), world)).toEqual(['m 10.0.0.0/16 10.128.0.0/16']);
  });
});
