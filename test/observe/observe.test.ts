import { describe, expect, it } from 'vitest';
import type { AppliedCluster } from '../../src/lab/observed.ts';
import { observeEngine } from '../../src/observe/engine.ts';
import { type ObserveInput, observe, observeWorld } from '../../src/observe/observe.ts';
import { startFakeApi } from '../exec/fake-api.ts';
import { fails, fakeRunner, says } from '../exec/fake-runner.ts';
import { cluster, lab, OTHER_UID, UID } from '../plan/build-lab.ts';
import { toolOutput } from '../tools/fixture.ts';
import { type EngineWords, fakeEngine, node } from './fake-engine.ts';

const record = (more: Partial<AppliedCluster> = {}): AppliedCluster => ({
  ...{
    version: 1,
    lab: 'practical',
    uid: UID,
    dir: 'clusters',
    fixed: {},
    images: {},
    loadBalancer: ['172.28.8.0/28'],
  },
  ...{ pods: ['10.0.0.0/16'], services: ['10.128.0.0/16'] },
  ...more,
});

/** No spec of these tests takes a cluster in. */
const noAccess = async () => ({ kubeconfig: '', stale: false });

const API = ['info', 'network ls', 'ps -a', 'network inspect', 'container inspect'];

interface Words extends EngineWords {
  readonly names: readonly string[];
  readonly choose?: boolean;
  readonly kubeconfig?: string;
  readonly images?: readonly string[];
}

/** Looks at a lab of these clusters. */
async function look({ names, choose = true, kubeconfig, images = [], ...engine }: Words) {
  const { runner, commands } = fakeEngine(engine);
  const input: ObserveInput = {
    lab: lab(names.map((name) => cluster(name, { images }))),
    names,
    depth: { choose, count: false },
    runner,
    readContexts: async () => [],
    readReservations: async (engineId) => [{ uid: OTHER_UID, lab: 'x', cidr: '10.9.0.0/16', use: engineId }],
    privateKubeconfig: async (name) =>
      kubeconfig === undefined ? undefined : { text: kubeconfig, ca: `ca of ${name}`, server: 'https://x' },
    existingAccess: noAccess,
  };
  const world = await observe(input);
  const asked = commands.map(({ argv }) =>
    argv[1] === 'info' || argv[1] === 'cp' ? argv[1] : argv.slice(1, 3).join(' '),
  );
  return { world, asked, copied: commands.filter(({ argv }) => argv[1] === 'cp').map(({ argv }) => argv[2]) };
}

/** An API server whose first node carries a record. */
const apiWith = (applied?: AppliedCluster) =>
  startFakeApi((path) => {
    if (path !== '/api/v1/nodes') return undefined;
    const annotations = applied ? { 'lab/cluster': JSON.stringify(applied) } : {};
    const status = { conditions: [{ type: 'Ready', status: 'True' }] };
    return {
      items: [
        { metadata: { name: 'n', annotations, labels: { a: 'b' } }, spec: { podCIDRs: ['10.0.0.0/24'] }, status },
      ],
    };
  });

describe('what is observed', () => {
  it('is the engine, its networks, and what others have reserved on it', async () => {
    const { world } = await look({ names: ['a'] });
    expect(world.engine).toMatchObject({ version: '28.5.2+dfsg4', cpus: 2 });
    expect(world.networks.map(({ name }) => name)).toEqual(['bridge', 'host', 'none']);
    expect(world.reservations).toMatchObject([{ use: '6e4167d2-f3b3-4cc8-9de6-a9b5b030fedc' }]);
    expect(world.clusters).toEqual([]);
    expect(JSON.parse(JSON.stringify(world))).toEqual(world);
  });

  it.each([1, 12])('takes no process a cluster: %i own ones that are ready', async (count) => {
    const { kubeconfig } = await apiWith(record());
    const names = Array.from({ length: count }, (_, n) => `c${String(n).padStart(2, '0')}`);
    const nodes = names.map((name) => node({ cluster: name, owner: UID }));
    const { world, asked } = await look({ names, nodes, kubeconfig });
    expect(asked).toEqual(API);
    expect(world.clusters).toHaveLength(count);
    expect(world.clusters[0]).toMatchObject({
      provider: 'kind',
      name: 'c00',
      owner: UID,
      applied: record(),
      ranges: { pods: ['10.0.0.0/16'], services: ['10.128.0.0/16'] },
      credentials: { ca: 'ca of c00', server: 'https://x' },
      api: { nodes: [{ name: 'n', ready: true, podCidrs: ['10.0.0.0/24'], labels: { a: 'b' } }] },
    });
    expect(world.clusters[0]).not.toHaveProperty('unmarked');
  });

  it('are the images of the specs, in one process', async () => {
    const { asked } = await look({ names: ['a', 'b'], images: ['x:1', 'y:1'] });
    expect(asked.toSorted()).toEqual(['image inspect', 'info', 'network inspect', 'network ls', 'ps -a']);
  });

  it('is the record on the node when the API server has none, is away, or no kubeconfig is kept', async () => {
    const files = { 'a-control-plane:/lab/cluster.json': JSON.stringify(record()) };
    const nodes = [node({ cluster: 'a', owner: UID })];
    const unmarked = await look({ names: ['a'], nodes, files, kubeconfig: (await apiWith()).kubeconfig });
    expect(unmarked.world.clusters).toMatchObject([{ applied: record(), unmarked: true, api: {} }]);
    const kubeconfig = (await startFakeApi(() => new Error('starting'))).kubeconfig;
    for (const more of [{ kubeconfig }, { kubeconfig: 'not: a kubeconfig' }, {}]) {
      const { world, copied } = await look({ names: ['a'], nodes, files, ...more });
      expect(world.clusters).toMatchObject([{ applied: record() }]);
      expect(world.clusters[0]).not.toHaveProperty('api');
      expect(copied).toEqual(['a-control-plane:/lab/cluster.json']);
    }
  });

  it('is a stopped cluster too, without asking its API server', async () => {
    const { kubeconfig, asked } = await apiWith(record());
    const nodes = [node({ cluster: 'a', owner: UID, running: false })];
    const files = { 'a-control-plane:/lab/cluster.json': JSON.stringify(record()) };
    const { world } = await look({ names: ['a'], nodes, files, kubeconfig });
    expect(world.clusters).toMatchObject([{ applied: record(), nodes: [{ running: false, networks: { kind: [] } }] }]);
    expect(asked).toEqual([]);
  });

  it.each([
    ['none was ever written', {}, undefined],
    ['it is damaged', { file: '{"version":1' }, 'is of another version of lab, or damaged'],
    ['it is of another version', { file: JSON.stringify({ ...record(), version: 2 }) }, 'is of another version of lab'],
    ['Docker cannot say', { file: fails('Cannot connect') }, 'could not be read: Cannot connect'],
    ['Docker takes too long', { file: { ...fails(''), failure: 'timeout' } as const }, 'could not be read: timeout'],
  ])('is not a record when %s', async (_, { file }: { file?: string | ReturnType<typeof fails> }, unreadable) => {
    const files = file === undefined ? {} : { 'a-control-plane:/lab/cluster.json': file };
    const { world } = await look({ names: ['a'], nodes: [node({ cluster: 'a', owner: UID })], files });
    expect(world.clusters[0]).not.toHaveProperty('applied');
    expect(world.clusters[0]?.unreadable ?? '').toContain(unreadable ?? '');
    expect(world.clusters[0]?.unreadable === undefined).toBe(unreadable === undefined);
  });
});

describe("other people's clusters", () => {
  const nodes = [
    node({ cluster: 'kind' }),
    node({ cluster: 'kind', role: 'worker' }),
    node({ cluster: 'k3s', provider: 'k3d', args: ['server', '--cluster-cidr=10.7.0.0/16'] }),
    node({ cluster: 'theirs', owner: OTHER_UID, running: false }),
  ];
  const files = {
    'kind-control-plane:/kind/kubeadm.conf': 'networking:\n  podSubnet: 10.244.0.0/16\n  serviceSubnet: 10.96.0.0/16\n',
    'theirs-control-plane:/lab/cluster.json': JSON.stringify(record({ uid: OTHER_UID, pods: ['10.5.0.0/16'] })),
  };

  it('are read when a range is to be chosen: a process each, none for k3d', async () => {
    const { world, copied } = await look({ names: ['a'], nodes, files });
    expect(world.clusters.map(({ name, provider, owner, ranges }) => [name, provider, owner, ranges?.pods])).toEqual([
      ['k3s', 'k3d', undefined, ['10.7.0.0/16']],
      ['kind', 'kind', undefined, ['10.244.0.0/16']],
      ['theirs', 'kind', OTHER_UID, ['10.5.0.0/16']],
    ]);
    expect(world.clusters[2]?.applied?.uid).toBe(OTHER_UID);
    expect(copied.toSorted()).toEqual(Object.keys(files).toSorted());
    expect(world.clusters[1]?.nodes.map(({ name, role }) => [name, role])).toEqual([
      ['kind-control-plane', 'server'],
      ['kind-worker', 'worker'],
    ]);
  });

  it('are not read when nothing is chosen, or when all of ours run already', async () => {
    expect((await look({ names: ['a'], nodes, files, choose: false })).copied).toEqual([]);
    const { kubeconfig } = await apiWith(record());
    const own = [...nodes, node({ cluster: 'a', owner: UID })];
    const settled = await look({ names: ['a'], nodes: own, files, kubeconfig });
    expect(settled.asked).toEqual(API);
    expect(settled.world.clusters.map(({ name }) => name)).toEqual(['a', 'k3s', 'kind', 'theirs']);
  });

  it('are seen when the spec is gone', async () => {
    const { runner } = fakeEngine({ nodes, files });
    const world = await observeWorld({
      ...{ uid: OTHER_UID, names: [], existing: [], runner },
      readContexts: async () => [],
      readReservations: async () => [],
      privateKubeconfig: async () => undefined,
      existingAccess: noAccess,
    });
    expect(world.clusters.find(({ name }) => name === 'theirs')).toMatchObject({ owner: OTHER_UID, applied: {} });
    expect(world.host.routes).toEqual([]);
  });
});

describe('a real engine with three clusters of a lab', () => {
  it('is read as it is', async () => {
    const { runner } = fakeRunner((line) => {
      if (line.includes('docker info')) return says(toolOutput('docker-28.5/info.json'));
      if (line.includes('network ls')) return says('x\n');
      if (line.includes('docker ps')) return says(toolOutput('docker-28.5/ps.txt'));
      if (line.includes('network inspect')) return says(toolOutput('docker-28.5/network-lab.json'));
      if (line.includes('container inspect')) return says(toolOutput('docker-28.5/containers.json'));
      return line.includes(':/kind/kubeadm.conf')
        ? says(toolOutput('docker-28.5/kubeadm-v6.tar'))
        : fails('Could not find the file');
    });
    const { networks, containers } = await observeEngine(runner, []);
    expect(networks).toMatchObject([
      {
        labels: { 'lab.uid': UID },
        subnets: [
          { cidr: '172.28.0.0/20', gateway: '172.28.0.1', ipRange: '172.28.0.0/21' },
          { cidr: 'fd00:1ab::/64', gateway: 'fd00:1ab::1', ipRange: 'fd00:1ab::/112' },
        ],
      },
    ]);
    expect(containers.map(({ name }) => name)).toContain('le-dual-worker');
    const input = {
      runner,
      readContexts: async () => [],
      readReservations: async () => [],
      privateKubeconfig: async () => undefined,
      existingAccess: noAccess,
    };
    const own = await observeWorld({ ...input, uid: UID, names: [], existing: [] });
    expect(own.clusters.map(({ name, owner, nodes }) => [name, owner, nodes.length])).toEqual([
      ['le-dual', UID, 2],
      ['le-v4', UID, 1],
      ['le-v6', UID, 1],
    ]);
    expect(own.clusters[2]?.nodes[0]).toMatchObject({
      networks: { 'lab-le': ['172.28.0.5', 'fd00:1ab::5'] },
      hostPorts: ['46823/tcp'],
    });
    const seen = await observe({
      ...input,
      lab: lab(['a'], { uid: OTHER_UID }),
      names: ['a'],
      depth: { choose: true, count: false },
    });
    expect(seen.clusters[2]?.ranges).toEqual({ pods: ['fd00:10:0:100::/56'], services: ['fd00:96::1:0/112'] });
  });
});
