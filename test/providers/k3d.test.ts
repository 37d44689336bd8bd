import { describe, expect, it } from 'vitest';
import { ownerOf } from '../../src/lab/ownership.ts';
import { PROVIDERS } from '../../src/providers/index.ts';
import { k3d } from '../../src/providers/k3d.ts';
import { type Container, parseContainers } from '../../src/tools/docker.ts';
import { type ClusterWords, cluster, dockerNetwork, UID } from '../plan/build-lab.ts';
import { toolOutput } from '../tools/fixture.ts';
import { container } from './container.ts';

const labels = (role: string) => ({ app: 'k3d', 'k3d.cluster': 'cdn', 'k3d.role': role });

describe('k3d', () => {
  it('names its nodes and its context', () => {
    expect(k3d.nodes(cluster('cdn', { nodes: { servers: 2, workers: 1 } }))).toEqual([
      { name: 'k3d-cdn-server-0', role: 'server' },
      { name: 'k3d-cdn-server-1', role: 'server' },
      { name: 'k3d-cdn-agent-0', role: 'worker' },
    ]);
    expect(k3d.contextName('cdn')).toBe('k3d-cdn');
    expect(k3d.kubeconfigQuery(cluster('cdn'))).toEqual({ argv: ['k3d', 'kubeconfig', 'get', 'cdn'] });
  });

  it('finds the image of a version', () => {
    expect(k3d.image(cluster('a', { kubernetes: { version: '1.34.4' } }))).toBe('rancher/k3s:v1.34.4-k3s1');
    expect(k3d.image(cluster('a', { kubernetes: { image: 'x:1', version: '1.34.4' } }))).toBe('x:1');
    expect(k3d.image(cluster('a'))).toBeUndefined();
  });

  it.each([
    ['server', { cluster: 'cdn', role: 'server' }],
    ['agent', { cluster: 'cdn', role: 'worker' }],
    ['loadbalancer', { cluster: 'cdn', role: 'proxy' }],
    ['registry', undefined],
  ])('knows its containers by their labels: %s', (role, expected) => {
    expect(k3d.recognise(container({ labels: labels(role) }))).toEqual(expected);
    const { app: _, ...bare } = labels(role);
    expect(k3d.recognise(container({ labels: bare }))).toBeUndefined();
  });

  it.each([
    [['server'], ['10.42.0.0/16'], ['10.43.0.0/16']],
    [['server', '--cluster-cidr=10.1.0.0/16', '--service-cidr', '10.2.0.0/16'], ['10.1.0.0/16'], ['10.2.0.0/16']],
    [
      [
        'server',
        '--cluster-cidr',
        '10.1.0.0/16,fd00:1::/56',
        '--service-cidr=10.2.0.0/16,fd00:2::/112',
        '--tls-san',
        'x',
      ],
      ['10.1.0.0/16', 'fd00:1::/56'],
      ['10.2.0.0/16', 'fd00:2::/112'],
    ],
  ])("reads the ranges from k3s' arguments: %j", (args, pods, services) => {
    expect(k3d.readRanges({ container: container({ args }) })).toEqual({ pods, services });
  });

  it('takes an image of its own block before one that kind shares', () => {
    const block = { providerConfig: { image: 'lab/k3s:1' } };
    expect(k3d.image(cluster('a', { kubernetes: { image: 'kindest/node:1' }, ...block }))).toBe('lab/k3s:1');
  });

  it.each(['containers', 'containers-stopped'])('knows its containers in what docker inspect printed: %s', (file) => {
    const found = parseContainers(toolOutput(`k3d-5.9/${file}.json`));
    expect(found.map((one) => k3d.recognise(one))).toEqual([
      { cluster: 'smiley', role: 'server' },
      { cluster: 'smiley', role: 'worker' },
    ]);
    expect(found.map(({ mountTargets }) => ownerOf(mountTargets))).toEqual([UID, UID]);
    expect(found[0]?.hostPorts.toSorted()).toEqual(['18999/tcp', '26550/tcp']);
    expect(k3d.readRanges({ container: found[0] as Container })).toEqual({
      pods: ['10.141.0.0/16', 'fd00:10:141::/56'],
      services: ['10.142.0.0/16', 'fd00:10:142::/112'],
    });
  });

  it('knows the helper that a create leaves when it is killed early, and no other', () => {
    const helper = { labels: { app: 'k3d', 'k3d.cluster': 'cdn', 'k3d.role': 'noRole' } };
    expect(k3d.recognise(container({ ...helper, name: 'k3d-cdn-tools' }))).toEqual({ cluster: 'cdn', role: 'proxy' });
    expect(k3d.recognise(container({ ...helper, name: 'k3d-cdn-x' }))).toBeUndefined();
  });

  it('reads its version', () => {
    const { read, version } = k3d.minimumVersion ?? {};
    expect(read?.(toolOutput('k3d-5.9/version.txt'))).toBe('5.9.0');
    expect(read?.('k3d version v5.7.0-dev.1\nk3s version latest (default)\n')).toBe('5.7.0');
    expect(read?.('k3d: command not found')).toBeUndefined();
    expect(version).toBe('5.5.0');
  });

  it.each([
    [{ cidr: '172.18.0.0/16', gateway: '172.18.0.1' }, undefined],
    [{ cidr: 'fc00:f853:ccd:e793::/64' }, 'whose first subnet fc00:f853:ccd:e793::/64 is IPv6'],
    [{ cidr: '172.18.0.0/16' }, 'whose subnet 172.18.0.0/16 shows no gateway'],
    [undefined, 'which has no subnet'],
  ])('looks only at the first subnet of a network: %j', (first, says) => {
    const rest = { cidr: '172.19.0.0/16', gateway: '172.19.0.1' };
    const refusal = k3d.checkNetwork?.(dockerNetwork('mine', first ? [first, rest] : []));
    expect(refusal?.message).toBe(says && `k3d cannot use Docker network mine, ${says}`);
  });
});

describe('what k3d refuses', () => {
  const refused = (words: ClusterWords) =>
    k3d.check(cluster('a', { provider: 'k3d', ...words })).map(({ path }) => path);
  const arg = (text: string, ...nodeFilters: string[]) =>
    refused({ providerConfig: { options: { k3s: { extraArgs: [{ arg: text, nodeFilters }] } } } });

  it('is a cluster without IPv4, or with IPv6 first', () => {
    expect(refused({ ipFamily: 'ipv6' })).toEqual(['spec.ipFamily']);
    expect(refused({ ipFamily: 'dual' })).toEqual([]);
    expect(refused({ ipFamily: 'dual', pods: ['fd00:10:4::/56', '10.4.0.0/16'] })).toEqual(['spec.network.pods.0']);
    expect(refused({ ipFamily: 'dual', pods: ['10.4.0.0/16', 'fd00:10:4::/56'] })).toEqual([]);
  });

  it('is a range or a version that k3s does not have', () => {
    expect(refused({ ipFamily: 'dual', services: ['fd00:96::/108'] })).toEqual(['spec.network.services.0']);
    expect(refused({ kubernetes: { version: '1.34' } })).toEqual(['spec.kubernetes.version']);
    expect(refused({ kubernetes: { version: '1.34', image: 'x:1' } })).toEqual([]);
  });

  it.each([
    '--cluster-cidr=10.0.0.0/8',
    '--service-cidr 10.0.0.0/8',
    '--cluster-domain=x',
    '--kube-proxy-arg=proxy-mode=ipvs',
    '--kube-controller-manager-arg=node-cidr-mask-size-ipv4=26',
    '--flannel-ipv6-masq=false',
    '--flannel-backend=none',
    '--disable=servicelb',
    '--node-ip=10.1.2.3',
  ])('is an argument that the plan sets: %s', (text) => {
    expect(arg(text, 'server:*')).toEqual(['spec.k3d.options.k3s.extraArgs.0.arg']);
  });

  it('is an argument that ends agents, on agents', () => {
    expect(arg('--disable=metrics-server', 'server:*')).toEqual([]);
    for (const filter of ['all', 'agent:*', 'agents:0'])
      expect(arg('--disable=metrics-server', 'server:0', filter)).toEqual([
        'spec.k3d.options.k3s.extraArgs.0.nodeFilters',
      ]);
    expect(arg('--kubelet-arg=v=2', 'agent:*')).toEqual([]);
  });

  it('is a dollar, wherever it is', () => {
    const providerConfig = { env: [{ envVar: 'A=$HOME', nodeFilters: ['server:0'] }], registries: { config: 'a: $B' } };
    expect(refused({ providerConfig })).toEqual(['spec.k3d.env.0.envVar', 'spec.k3d.registries.config']);
  });
});

describe('every provider', () => {
  it.each(Object.entries(PROVIDERS))(
    '%s is listed under its own name, and knows no container of another',
    (name, one) => {
      expect(one.name).toBe(name);
      const nodes = [
        container({ labels: labels('server') }),
        container({ labels: { 'io.x-k8s.kind.cluster': 'a', 'io.x-k8s.kind.role': 'worker' } }),
        container(),
      ];
      // One that makes nothing has no containers.
      expect(nodes.filter((node) => one.recognise(node))).toHaveLength(one.make ? 1 : 0);
    },
  );
});
