import { describe, expect, it } from 'vitest';
import type { Observed, ObservedCluster } from '../../src/lab/observed.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { describeClusters, formatClusters, formatReasons } from '../../src/report/cluster-info.ts';
import { change, cluster, lab, OTHER_UID, observed, worldAfter } from '../plan/build-lab.ts';

const DECLARED = lab([cluster('a', { ipFamily: 'dual', group: 'face', zone: 'east', nodes: { workers: 1 } })]);
const DESIRED = resolve(DECLARED, observed());
const WORLD = worldAfter(DESIRED);

const describeOne = (world: Observed) => describeClusters(DESIRED, world, ['a'])[0];
const changed = (how: (one: ObservedCluster) => Partial<ObservedCluster>) => describeOne(change(WORLD, 'a', how));
/** The same cluster with nothing known of these properties. */
const without = (...keys: (keyof ObservedCluster)[]): Observed => ({
  ...WORLD,
  clusters: WORLD.clusters.map((one) => {
    const known = Object.entries(one).filter(([key]) => !keys.includes(key as keyof ObservedCluster));
    return Object.fromEntries(known) as unknown as ObservedCluster;
  }),
});

describe('the state of a cluster', () => {
  it.each([
    ['planned', observed()],
    ['ready', WORLD],
    ['not ready', without('api')],
    ['unfinished', without('applied')],
    ['foreign', without('owner')],
    ['foreign', change(WORLD, 'a', () => ({ owner: OTHER_UID }))],
    [
      'stopped',
      change(WORLD, 'a', ({ nodes }) => ({ nodes: nodes.map((node, index) => ({ ...node, running: index > 0 })) })),
    ],
    [
      'not ready',
      change(WORLD, 'a', ({ api }) =>
        api ? { api: { ...api, nodes: api.nodes.map((node) => ({ ...node, ready: false })) } } : {},
      ),
    ],
    // The same name, made by another provider.
    ['planned', change(WORLD, 'a', () => ({ provider: 'k3d' }))],
  ])('is %s', (state, world) => {
    expect(describeOne(world)?.state).toBe(state);
  });
});

describe('what is said of a cluster', () => {
  const addressed = changed(({ nodes }) => ({
    nodes: nodes.map((node, index) => ({
      ...node,
      networks: { 'lab-practical': [`172.28.0.${index + 2}`, `fd00:1ab::${index + 2}`], other: ['10.0.0.9'] },
    })),
  }));

  it('is what is declared, planned and seen', () => {
    expect(addressed).toEqual({
      ...{ name: 'a', provider: 'kind', group: 'face', zone: 'east', ipFamily: 'dual', state: 'ready' },
      network: 'lab-practical',
      ...{ apps: [], workloads: [] },
      pods: ['10.0.0.0/16', 'fd00:10::/56'],
      services: ['10.128.0.0/16', 'fd00:96::/112'],
      loadBalancer: ['172.28.8.0/28', 'fd00:1ab::1:0/124'],
      nodes: [
        { name: 'a-control-plane', role: 'server', addresses: ['172.28.0.2', 'fd00:1ab::2'] },
        { name: 'a-worker', role: 'worker', addresses: ['172.28.0.3', 'fd00:1ab::3'] },
      ],
      endpoints: {
        host: 'https://127.0.0.1:6443/a',
        clusters: ['https://172.28.0.2:6443', 'https://[fd00:1ab::2]:6443'],
      },
      contexts: ['a', 'kind-a'],
      linkerd: '',
      links: [],
      mesh: 'none',
      certificates: [],
      why: expect.objectContaining({ '10.0.0.0/16': 'first free /16 of 10.0.0.0/9' }),
    });
    expect(Object.keys(addressed?.why ?? {})).toHaveLength(6);
  });

  it('is only the endpoint of the family that the cluster has, in brackets when it is IPv6', () => {
    const six = resolve(lab([cluster('a', { ipFamily: 'ipv6' })]), observed());
    const networks = { 'lab-practical': ['172.28.0.2', 'fd00:1ab::2'] };
    const world = change(worldAfter(six), 'a', ({ nodes }) => ({
      nodes: nodes.map((node) => ({ ...node, networks })),
    }));
    expect(describeClusters(six, world, ['a'])[0]?.endpoints.clusters).toEqual(['https://[fd00:1ab::2]:6443']);
  });

  it("is nothing of somebody else's nodes", () => {
    const theirs = describeOne(without('owner'));
    expect(theirs?.endpoints).toEqual({ host: '', clusters: [] });
    expect(theirs?.nodes.map(({ addresses }) => addresses)).toEqual([[], []]);
  });

  it('is only of the clusters that are named', () => {
    expect(describeClusters(DESIRED, WORLD, [])).toEqual([]);
  });

  it('is a row, and more of it when it is wide', () => {
    const infos = addressed ? [addressed, { ...addressed, name: 'b', group: '', state: 'not ready' as const }] : [];
    const [heading, a, b] = formatClusters(infos, false).split('\n');
    expect(heading?.split(/ {2,}/)).toEqual(['NAME', 'PROVIDER', 'GROUP', 'STATE', 'PODS', 'SERVICES', 'LOADBALANCER']);
    expect(a?.split(/ {2,}/)).toEqual([
      ...['a', 'kind', 'face', 'ready', '10.0.0.0/16,fd00:10::/56', '10.128.0.0/16,fd00:96::/112'],
      '172.28.8.0/28,fd00:1ab::1:0/124',
    ]);
    expect(b?.split(/ {2,}/).slice(0, 4)).toEqual(['b', 'kind', '-', 'not-ready']);
    expect(formatClusters(infos, true).split('\n')[1]?.split(/ {2,}/).slice(7)).toEqual([
      ...['east', 'dual', 'a-control-plane=172.28.0.2+fd00:1ab::2,a-worker=172.28.0.3+fd00:1ab::3'],
      ...['https://127.0.0.1:6443/a', 'https://172.28.0.2:6443,https://[fd00:1ab::2]:6443', 'a,kind-a'],
    ]);
  });

  it('is the reason for each range', () => {
    const lines = formatReasons(DESIRED, describeClusters(DESIRED, WORLD, ['a'])).split('\n');
    expect(lines).toHaveLength(1 + 2 + 6);
    expect(lines[1]?.split(/ {2,}/)).toEqual([
      'lab-practical',
      'network',
      '172.28.0.0/20',
      'first free /20 of 172.28.0.0/14',
    ]);
    expect(lines.at(-1)?.split(/ {2,}/)).toEqual([
      ...['a', 'load balancer', 'fd00:1ab::1:0/124'],
      '16 addresses of Docker network lab-practical, outside its ip-range fd00:1ab::/112',
    ]);
  });
});
