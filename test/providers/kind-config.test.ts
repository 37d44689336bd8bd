import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Cluster } from '../../src/lab/lab.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { kindConfig } from '../../src/providers/kind.ts';
import { writeYaml } from '../../src/tools/write-yaml.ts';
import { type ClusterWords, calico, cluster, lab, observed, UID } from '../plan/build-lab.ts';

/** kind decodes strictly: an unknown key is an error. Its keys, of v1alpha4. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': [
    ...['kind', 'apiVersion', 'name', 'nodes', 'networking', 'featureGates', 'runtimeConfig', 'kubeadmConfigPatches'],
    ...['kubeadmConfigPatchesJSON6902', 'containerdConfigPatches', 'containerdConfigPatchesJSON6902'],
  ],
  networking: [
    ...['ipFamily', 'apiServerPort', 'apiServerAddress', 'podSubnet', 'serviceSubnet', 'disableDefaultCNI'],
    ...['kubeProxyMode', 'dnsSearch'],
  ],
  'nodes[]': [
    ...['role', 'image', 'labels', 'extraMounts', 'extraPortMappings', 'kubeadmConfigPatches'],
    'kubeadmConfigPatchesJSON6902',
  ],
  'nodes[].extraMounts[]': ['hostPath', 'containerPath', 'readOnly', 'selinuxRelabel', 'propagation'],
  'nodes[].extraPortMappings[]': ['containerPort', 'hostPort', 'listenAddress', 'protocol'],
  'kubeadmConfigPatchesJSON6902[]': ['group', 'version', 'kind', 'patch'],
};
/** Maps whose keys are the user's. */
const OPEN = ['featureGates', 'runtimeConfig', 'nodes[].labels'];

function unknownKeys(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => unknownKeys(item, `${path}[]`));
  if (typeof value !== 'object' || value === null || OPEN.includes(path)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const known = KEYS[path]?.includes(key);
    return known ? unknownKeys(item, path === '' ? key : `${path}.${key}`) : [`${path}: ${key}`];
  });
}

/** What kind reads, of the one cluster of a lab. */
function configOf(words: ClusterWords | Cluster) {
  const [desired] = resolve(lab(['name' in words ? words : cluster('a', words)]), observed()).clusters;
  if (!desired) throw new Error('no cluster');
  const config = kindConfig({ cluster: desired, uid: UID });
  expect(parse(writeYaml(config))).toEqual(config);
  expect(unknownKeys(config)).toEqual([]);
  return config as typeof config & Record<string, unknown>;
}

const patchesOf = (words: ClusterWords) => (configOf(words).kubeadmConfigPatches ?? []).map((text) => parse(text));
const proxyOf = (words: ClusterWords) => patchesOf(words).find(({ kind }) => kind === 'KubeProxyConfiguration');
const OWNER = { hostPath: '/dev/null', containerPath: `/lab/owner/${UID}`, readOnly: true };

describe("kind's configuration", () => {
  it('leaves the pod network to Calico, whose nodes pass packets on', () => {
    expect(configOf(calico()).networking).toMatchObject({ disableDefaultCNI: true });
    expect(configOf({}).networking).not.toHaveProperty('disableDefaultCNI');
    expect(proxyOf({ ...calico(), proxyMode: 'ipvs' })).toEqual({
      kind: 'KubeProxyConfiguration',
      ipvs: { strictARP: true },
      conntrack: { tcpBeLiberal: true },
    });
    expect(proxyOf({})).toBeUndefined();
  });

  it('says as little as needed for a plain cluster', () => {
    expect(configOf({})).toEqual({
      kind: 'Cluster',
      apiVersion: 'kind.x-k8s.io/v1alpha4',
      networking: {
        ipFamily: 'ipv4',
        podSubnet: '10.0.0.0/16',
        serviceSubnet: '10.128.0.0/16',
        kubeProxyMode: 'iptables',
        apiServerAddress: '127.0.0.1',
      },
      nodes: [{ role: 'control-plane', extraMounts: [OWNER] }],
    });
  });

  it.each([
    ['ipv6', {}, 'fd00:10::/56', 'fd00:96::/112'],
    ['dual', {}, '10.0.0.0/16,fd00:10::/56', '10.128.0.0/16,fd00:96::/112'],
    [
      'dual',
      { pods: ['fd00:7::/56'], services: ['fd00:8::/112', '10.8.0.0/16'] },
      'fd00:7::/56,10.0.0.0/16',
      'fd00:8::/112,10.8.0.0/16',
    ],
  ] as const)('gives ranges as text, comma between families: %s %j', (ipFamily, words, podSubnet, serviceSubnet) => {
    expect(configOf({ ipFamily, ...words }).networking).toMatchObject({
      ipFamily,
      podSubnet,
      serviceSubnet,
      apiServerAddress: '127.0.0.1',
    });
  });

  it('makes servers before workers, all with the mark of the lab, the image and the zone', () => {
    const words = { nodes: { servers: 3, workers: 2 }, kubernetes: { version: 'v1.34.4' }, zone: 'east' };
    const { nodes } = configOf(words);
    expect(nodes.map(({ role }) => role)).toEqual([
      ...['control-plane', 'control-plane', 'control-plane', 'worker', 'worker'],
    ]);
    for (const node of nodes) {
      expect(node).toEqual({
        role: node.role,
        image: 'kindest/node:v1.34.4',
        labels: { 'topology.kubernetes.io/zone': 'east' },
        extraMounts: [OWNER],
      });
    }
    expect(configOf({ kubernetes: { image: 'my/node:1', version: '1.30' } }).nodes[0]?.image).toBe('my/node:1');
  });

  it('publishes ports on the first node', () => {
    const port = { at: '', host: 8080, node: 80, protocol: 'tcp' } as const;
    const ports = [port, { ...port, host: 5353, node: 53, protocol: 'udp', listen: '127.0.0.1' } as const];
    expect(configOf({ ports, nodes: { workers: 1 } }).nodes.map((node) => node.extraPortMappings)).toEqual([
      [
        { containerPort: 80, hostPort: 8080, protocol: 'TCP' },
        { containerPort: 53, hostPort: 5353, protocol: 'UDP', listenAddress: '127.0.0.1' },
      ],
      undefined,
    ]);
  });

  it.each([
    ['ipv4', { 'node-cidr-mask-size-ipv4': '26' }],
    ['ipv6', { 'node-cidr-mask-size-ipv6': '72' }],
    ['dual', { 'node-cidr-mask-size-ipv4': '26', 'node-cidr-mask-size-ipv6': '72' }],
  ] as const)('gives the node masks to kubeadm v1beta3 as a map and to v1beta4 as a list: %s', (ipFamily, args) => {
    expect(patchesOf({ ipFamily, nodeMask: [26, 72] })).toEqual([
      {
        apiVersion: 'kubeadm.k8s.io/v1beta3',
        kind: 'ClusterConfiguration',
        controllerManager: { extraArgs: args },
      },
      {
        apiVersion: 'kubeadm.k8s.io/v1beta4',
        kind: 'ClusterConfiguration',
        controllerManager: { extraArgs: Object.entries(args).map(([name, value]) => ({ name, value })) },
      },
    ]);
  });

  it('sets the domain for kubeadm and for the kubelet, and strict ARP under ipvs', () => {
    expect(patchesOf({ domain: 'a.local' })).toEqual([
      { kind: 'ClusterConfiguration', networking: { dnsDomain: 'a.local' } },
      { kind: 'KubeletConfiguration', clusterDomain: 'a.local' },
    ]);
    expect(patchesOf({ proxyMode: 'ipvs' })).toEqual([{ kind: 'KubeProxyConfiguration', ipvs: { strictARP: true } }]);
    expect(configOf({ proxyMode: 'nftables' }).networking.kubeProxyMode).toBe('nftables');
    expect(patchesOf({ proxyMode: 'nftables' })).toEqual([]);
  });

  it("merges the user's own block last, without losing what the plan needs", () => {
    const user = {
      networking: { apiServerPort: 6443, apiServerAddress: '0.0.0.0', dnsSearch: ['x.local'] },
      featureGates: { A: true },
      runtimeConfig: { 'api/alpha': 'false' },
      kubeadmConfigPatches: ['kind: InitConfiguration\n'],
      kubeadmConfigPatchesJSON6902: [{ group: 'kubeadm.k8s.io', version: 'v1beta3', kind: 'X', patch: '[]' }],
      containerdConfigPatches: ['x = 1'],
      nodes: [
        {
          labels: { tier: 'edge', 'topology.kubernetes.io/zone': 'mine' },
          extraMounts: [{ hostPath: '/data', containerPath: '/data', propagation: 'None' }],
          extraPortMappings: [{ containerPort: 443, hostPort: 8443 }],
          kubeadmConfigPatches: ['kind: JoinConfiguration\n'],
        },
      ],
    };
    const port = { at: '', host: 8080, node: 80, protocol: 'tcp' } as const;
    const config = configOf({
      zone: 'east',
      nodes: { workers: 1 },
      ports: [port],
      domain: 'a.local',
      providerConfig: user,
    });
    expect(config.networking).toEqual({
      ipFamily: 'ipv4',
      podSubnet: '10.0.0.0/16',
      serviceSubnet: '10.128.0.0/16',
      kubeProxyMode: 'iptables',
      ...user.networking,
    });
    expect(config.nodes).toEqual([
      {
        role: 'control-plane',
        labels: { tier: 'edge', 'topology.kubernetes.io/zone': 'mine' },
        extraMounts: [OWNER, { hostPath: '/data', containerPath: '/data', propagation: 'None' }],
        extraPortMappings: [
          { containerPort: 80, hostPort: 8080, protocol: 'TCP' },
          { containerPort: 443, hostPort: 8443 },
        ],
        kubeadmConfigPatches: ['kind: JoinConfiguration\n'],
      },
      { role: 'worker', labels: { 'topology.kubernetes.io/zone': 'east' }, extraMounts: [OWNER] },
    ]);
    expect(config.kubeadmConfigPatches?.at(-1)).toBe('kind: InitConfiguration\n');
    expect(config.kubeadmConfigPatches).toHaveLength(3);
    const { featureGates, runtimeConfig, kubeadmConfigPatchesJSON6902, containerdConfigPatches } = user;
    expect(config).toMatchObject({
      featureGates,
      runtimeConfig,
      kubeadmConfigPatchesJSON6902,
      containerdConfigPatches,
    });
  });

  it('never has a key that kind does not know, whatever the spec says', () => {
    const words: fc.Arbitrary<ClusterWords> = fc.record(
      {
        ipFamily: fc.constantFrom('ipv4', 'ipv6', 'dual'),
        nodes: fc.record({ servers: fc.constantFrom(1, 3), workers: fc.nat(5) }),
        zone: fc.constantFrom('east', 'west'),
        kubernetes: fc.constantFrom({ version: '1.34' }, { image: 'x/y:z' }),
        nodeMask: fc.constantFrom([25, 64] as const, [24, 80] as const),
        domain: fc.constantFrom('cluster.local', 'x.y'),
        proxyMode: fc.constantFrom('iptables', 'ipvs', 'nftables'),
        ports: fc.constant([{ host: 1, node: 2, protocol: 'udp', listen: '::1', at: '' }]),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(words, (one) => {
        configOf(one);
      }),
      { numRuns: 200 },
    );
  });
});
