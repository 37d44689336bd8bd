import { describe, expect, it } from 'vitest';
import type { ObservedCluster } from '../../src/lab/observed.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { type ClusterWords, change, cluster, lab, observed, planOf } from './build-lab.ts';
import { changed, changesOf, kindsOf, scene } from './changes.ts';

const api = (one: ObservedCluster) => one.api as NonNullable<ObservedCluster['api']>;

describe('what a create finds to do', () => {
  it('is everything when nothing is there', () => {
    expect(changesOf(lab([cluster('a', { images: ['my/app:dev'] })]))).toEqual([
      { kind: 'network', action: 'create', why: 'the clusters of the lab share one Docker network' },
      { kind: 'cluster', action: 'create', cluster: 'a', why: 'it does not exist' },
      { kind: 'record', cluster: 'a', why: 'the cluster is new', early: true },
      { kind: 'images', cluster: 'a', images: ['my/app:dev'], why: 'the cluster is new' },
      { kind: 'record', cluster: 'a', why: 'the cluster is new' },
      { kind: 'loadBalancer', action: 'install', cluster: 'a', why: 'the cluster is new' },
      { kind: 'contexts', action: 'merge', cluster: 'a', contexts: ['a', 'kind-a'], why: 'the cluster is new' },
    ]);
  });

  it('is nothing when all is as declared', () => {
    const words = { images: ['my/app:dev'], zone: 'east', ipFamily: 'dual', nodes: { workers: 2 } } as const;
    const { declared, world } = scene(words);
    expect(changesOf(declared, world)).toEqual([]);
    expect(planOf(declared, world)).toMatchObject({
      steps: [],
      summary: 'Plan: 0 clusters to create, 0 to finish, 1 to leave; takes nothing more.',
    });
  });

  it('is only about the clusters that are named', () => {
    const declared = lab(['a', 'b']);
    const desired = resolve(declared, observed());
    const changes = diffForCreate(desired, observed(), { names: ['b'], recreate: [] });
    expect(changes.flatMap((one) => ('cluster' in one ? one.cluster : []))).toEqual(['b', 'b', 'b', 'b']);
  });

  it('is a rebuild for a cluster that never became ready, or that is named in --recreate', () => {
    const { declared, world } = scene();
    const unfinished = change(world, 'a', () => ({ nodes: [] }));
    const [one] = unfinished.clusters;
    const { applied: _, api: __, ...half } = one as ObservedCluster;
    expect(changesOf(declared, { ...unfinished, clusters: [half] })).toMatchObject([
      { kind: 'cluster', action: 'recreate', why: 'it never became ready, so it is made anew' },
      { kind: 'record' },
      { kind: 'loadBalancer' },
      { kind: 'contexts' },
    ]);
    expect(changesOf(declared, world, ['a'])).toMatchObject([
      { kind: 'cluster', action: 'recreate', why: 'asked for by --recreate', loses: true },
      { kind: 'record' },
      { kind: 'loadBalancer' },
      { kind: 'contexts' },
    ]);
  });

  it('is a start for stopped nodes and for nodes that are not ready', () => {
    const stopped = changed(({ nodes }) => ({ nodes: nodes.map((node) => ({ ...node, running: false })) }));
    const wait = { kind: 'loadBalancer', action: 'wait', cluster: 'a', why: 'its nodes start' };
    expect(stopped).toEqual([
      { kind: 'cluster', action: 'start', cluster: 'a', why: 'stopped: a-control-plane' },
      wait,
    ]);
    const notReady = changed(
      (one) => ({
        api: { ...api(one), nodes: api(one).nodes.map((node, index) => ({ ...node, ready: index > 0 })) },
      }),
      { nodes: { workers: 1 } },
    );
    expect(notReady).toMatchObject([{ kind: 'cluster', action: 'start', why: '1 of 2 nodes are ready' }, wait]);
  });

  it('is its kubeconfig, and all that cannot be known without it', () => {
    const { declared, world } = scene();
    const [{ credentials: _, api: __, ...bare }] = world.clusters as [ObservedCluster];
    const changes = changesOf(declared, { ...world, clusters: [bare] });
    expect(kindsOf(changes)).toEqual(['kubeconfig', 'cluster', 'loadBalancer', 'contexts']);
  });

  it('is the zone: set, changed and taken away', () => {
    const from = (before: ClusterWords, now: ClusterWords) => changesOf(lab([cluster('a', now)]), scene(before).world);
    const record = { kind: 'record', cluster: 'a', why: 'it changed' };
    const zone = (why: string) => [{ kind: 'zone', cluster: 'a', why: `zone: ${why}` }, record];
    expect(from({}, { zone: 'east' })).toEqual(zone('none → east'));
    expect(from({ zone: 'west' }, { zone: 'east' })).toEqual(zone('west → east'));
    expect(from({ zone: 'west' }, {})).toEqual(zone('west → none'));
  });

  it('is a zone label that is missing on a node, but not one that lab never set', () => {
    const labelled = (labels: Record<string, string>) => (one: ObservedCluster) => ({
      api: { ...api(one), nodes: api(one).nodes.map((node) => ({ ...node, labels })) },
    });
    expect(kindsOf(changed(labelled({}), { zone: 'east' }))).toEqual(['zone', 'record']);
    expect(changed(labelled({ 'topology.kubernetes.io/zone': 'theirs' }))).toEqual([]);
  });

  it('is an image that is newly named or newly built, and not one that the engine no longer holds', () => {
    const { declared, world } = scene({ images: ['my/app:dev'] });
    const images = (held: Record<string, string>) => changesOf(declared, { ...world, images: held });
    expect(images({ 'my/app:dev': 'sha256:2' })).toMatchObject([
      { kind: 'images', images: ['my/app:dev'] },
      { kind: 'record', why: 'it changed' },
    ]);
    expect(images({})).toEqual([]);
    const named = scene().world;
    expect(kindsOf(changesOf(declared, named))).toEqual(['images', 'record']);
    expect(kindsOf(changesOf(declared, { ...named, images: {} }))).toEqual(['images', 'record']);
  });

  it.each([
    ['MetalLB is not installed', 'install', { loadBalancer: undefined }],
    ['MetalLB is not ready', 'install', { ready: false }],
    ['the manifest changed', 'install', { manifest: 'https://example.com/old.yaml' }],
    ['pool: 172.28.9.0/28 → 172.28.8.0/28', 'pool', { pools: ['172.28.9.0/28'] }],
    ['pool: none → 172.28.8.0/28', 'pool', { pools: [] }],
    ['the pool is not advertised', 'pool', { advertised: false }],
  ] as const)('is the load balancer: %s', (why, action, state) => {
    const changes = changed((one) => {
      const { loadBalancer, nodes } = api(one);
      const gone = 'loadBalancer' in state;
      return { api: { nodes, ...(loadBalancer && !gone && { loadBalancer: { ...loadBalancer, ...state } }) } };
    });
    expect(changes).toEqual([{ kind: 'loadBalancer', action, cluster: 'a', why }]);
  });

  it('is the record, when the cluster does not carry it yet or its pool is another', () => {
    expect(changed(() => ({ unmarked: true }))).toMatchObject([
      { kind: 'record', why: 'its record is not in the cluster yet' },
    ]);
    const { declared, world } = scene();
    const none = { ...declared, loadBalancer: { ...declared.loadBalancer, addon: 'none' as const } };
    expect(changesOf(none, world)).toMatchObject([{ kind: 'record', why: 'it changed' }]);
  });

  it('is a context that is missing, stale or not marked as ours', () => {
    const { declared, world } = scene();
    const contexts = (how: (one: (typeof world.contexts)[number]) => object) =>
      changesOf(declared, { ...world, contexts: world.contexts.map((one) => ({ ...one, ...how(one) })) });
    const both = [
      { kind: 'contexts', action: 'merge', cluster: 'a', contexts: ['a', 'kind-a'], why: 'missing or stale' },
    ];
    expect(changesOf(declared, { ...world, contexts: [] })).toEqual(both);
    expect(contexts(() => ({ server: 'https://127.0.0.1:1' }))).toEqual(both);
    expect(contexts(() => ({ ca: 'another' }))).toEqual(both);
    expect(contexts(() => ({ owner: undefined }))).toEqual(both);
    expect(contexts(({ name }) => (name === 'a' ? { ca: 'another' } : {}))).toMatchObject([{ contexts: ['a'] }]);
  });
});
