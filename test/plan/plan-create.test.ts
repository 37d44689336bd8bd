import { describe, expect, it } from 'vitest';
import type { ObservedCluster } from '../../src/lab/observed.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { change, cluster, dockerNetwork, lab, OUR_LABELS, observed, planOf, worldAfter } from './build-lab.ts';

const linesOf = (...args: Parameters<typeof planOf>) =>
  planOf(...args).steps.map(({ id, needs }) => `${id}: ${needs.join(' ')}`.trim());

const stopped = (one: ObservedCluster) => ({ nodes: one.nodes.map((node) => ({ ...node, running: false })) });

describe('a plan of create', () => {
  it('makes the network and each image once, and every cluster on its own', () => {
    const image = { kubernetes: { version: '1.34.4' } };
    expect(linesOf(lab([cluster('a', image), cluster('b', { ...image, images: ['my/app:dev'] })]), observed())).toEqual(
      [
        'network:',
        'pull/kindest/node:v1.34.4:',
        'a/create: network pull/kindest/node:v1.34.4',
        'a/nodes: a/create',
        'a/record: a/nodes',
        'a/mark: a/record',
        'a/metallb: a/create',
        'a/metallb-controller: a/metallb',
        'a/metallb-speaker: a/metallb',
        'a/pool: a/metallb-controller',
        'a/contexts: a/nodes',
        'b/create: network pull/kindest/node:v1.34.4',
        'b/nodes: b/create',
        'b/ready: b/nodes',
        'b/images: b/create',
        'b/record: b/nodes b/images',
        'b/mark: b/record',
        'b/metallb: b/create',
        'b/metallb-controller: b/metallb',
        'b/metallb-speaker: b/metallb',
        'b/pool: b/metallb-controller',
        'b/contexts: b/nodes b/images',
      ],
    );
  });

  it('does not pull what the engine holds, nor make a network that is there', () => {
    const world = observed({
      images: { 'kindest/node:v1.34.4': 'sha256:1' },
      networks: [dockerNetwork('lab-practical', ['172.28.0.0/20'], { labels: OUR_LABELS })],
    });
    expect(linesOf(lab([cluster('a', { kubernetes: { version: '1.34.4' } })]), world).slice(0, 2)).toEqual([
      'a/create:',
      'a/nodes: a/create',
    ]);
  });

  it('makes the network with IPv4 first, an ip-range and our labels, and stops when it is there by then', () => {
    const [network] = planOf(lab(['a']), observed()).steps;
    expect(network).toMatchObject({
      argv: [
        ...['docker', 'network', 'create', '--driver', 'bridge'],
        ...[
          '--label',
          'lab.uid=0123456789ab',
          '--label',
          'lab.name=practical',
          '--label',
          'lab.dir=/labs/practical/clusters',
        ],
        ...['--subnet', '172.28.0.0/20', '--gateway', '172.28.0.1', '--ip-range', '172.28.0.0/21'],
        ...['--ipv6', '--subnet', 'fd00:1ab::/64', '--gateway', 'fd00:1ab::1', '--ip-range', 'fd00:1ab::/112'],
        'lab-practical',
      ],
      precondition: { expect: 'empty', otherwise: 'stop' },
    });
  });

  it('makes the network with the packet size of the default one', () => {
    const world = observed();
    const networks = world.networks.map((one) => (one.name === 'bridge' ? { ...one, mtu: '1450' } : one));
    const [network] = planOf(lab(['a']), { ...world, networks }).steps;
    expect(network).toMatchObject({
      argv: expect.arrayContaining(['--driver', 'bridge', '-o', 'com.docker.network.driver.mtu=1450']),
    });
  });

  it('removes what is made anew first', () => {
    const world = worldAfter(resolve(lab(['a']), observed()));
    expect(linesOf(lab(['a']), world, ['a']).slice(0, 3)).toEqual([
      'a/remove:',
      'a/create: a/remove',
      'a/nodes: a/create',
    ]);
  });

  it('starts only the nodes that are stopped', () => {
    const declared = lab([cluster('a', { nodes: { workers: 2 } })]);
    const world = change(worldAfter(resolve(declared, observed())), 'a', ({ nodes }) => ({
      nodes: nodes.map((node) => ({ ...node, running: node.name !== 'a-worker2' })),
    }));
    const { steps } = planOf(declared, world);
    expect(steps).toMatchObject([
      { id: 'a/start', argv: ['docker', 'start', 'a-worker2'] },
      { id: 'a/nodes', needs: ['a/start'], for: { resource: 'nodes', count: 3 } },
      { id: 'a/metallb-controller', needs: ['a/nodes'], kind: 'wait' },
      { id: 'a/metallb-speaker', needs: ['a/nodes'], kind: 'wait' },
    ]);
  });

  it('starts a stopped cluster before it reads the credentials that are lost', () => {
    const world = change(worldAfter(resolve(lab(['a']), observed())), 'a', stopped);
    const clusters = world.clusters.map(({ credentials: _, api: __, ...one }) => one);
    expect(linesOf(lab(['a']), { ...world, clusters, contexts: [] }).slice(0, 4)).toEqual([
      'a/start:',
      'a/credentials: a/start',
      'a/kubeconfig: a/credentials',
      'a/nodes: a/kubeconfig',
    ]);
  });

  it('writes a record that keeps what is known of images that the engine no longer holds', () => {
    const declared = lab([cluster('a', { images: ['old:1', 'new:1'] })]);
    const world = worldAfter(resolve(declared, observed()), observed({ images: { 'old:1': 'sha256:old' } }));
    const { steps } = planOf(declared, { ...world, images: { 'new:1': 'sha256:new' } });
    const record = steps.find(({ id }) => id === 'a/record');
    expect(record).toMatchObject({
      argv: ['docker', 'exec', '-i', 'a-control-plane', 'sh', '-c', expect.stringContaining('/lab/cluster.json')],
    });
    const stdin = record?.kind === 'run' ? record.stdin : undefined;
    expect(JSON.parse(String(stdin)).images).toEqual({ 'old:1': 'sha256:old', 'new:1': 'sha256:new' });
  });

  it('takes the zone label away, or sets it, on every node', () => {
    const world = worldAfter(resolve(lab([cluster('a', { zone: 'east' })]), observed()));
    const argvOf = (declared: ReturnType<typeof lab>) => {
      const [step] = planOf(declared, world).steps;
      return step?.kind === 'run' ? step.argv.at(-1) : undefined;
    };
    expect(argvOf(lab(['a']))).toBe('topology.kubernetes.io/zone-');
    expect(argvOf(lab([cluster('a', { zone: 'west' })]))).toBe('topology.kubernetes.io/zone=west');
  });

  it('sums up what it comes to', () => {
    const world = change(worldAfter(resolve(lab(['a', 'b']), observed())), 'a', stopped);
    const declared = lab(['a', 'b', cluster('c', { nodes: { servers: 1, workers: 1 } })]);
    expect(planOf(declared, world).summary).toBe(
      'Plan: 1 cluster to create, 1 to finish, 1 to leave; takes about 1.2 GiB of memory and 2.6 GiB of disk.',
    );
  });
});
