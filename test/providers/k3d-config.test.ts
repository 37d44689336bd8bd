import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { resolve } from '../../src/plan/resolve.ts';
import { k3dConfig } from '../../src/providers/k3d-config.ts';
import { NODE_FILTER } from '../../src/tools/k3d.ts';
import { type ClusterWords, cluster, lab, observed, UID } from '../plan/build-lab.ts';

/** k3d checks its configuration strictly: an unknown key is an error. Its keys, of v1alpha5. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  '': [
    ...['apiVersion', 'kind', 'metadata', 'servers', 'agents', 'kubeAPI', 'image', 'network', 'subnet', 'token'],
    ...['volumes', 'ports', 'files', 'options', 'env', 'registries', 'hostAliases'],
  ],
  kubeAPI: ['host', 'hostIP', 'hostPort'],
  'volumes[]': ['volume', 'nodeFilters'],
  'ports[]': ['port', 'nodeFilters'],
  'env[]': ['envVar', 'nodeFilters'],
  'hostAliases[]': ['ip', 'hostnames'],
  registries: ['use', 'create', 'config'],
  options: ['k3d', 'k3s', 'kubeconfig', 'runtime'],
  'options.k3d': [
    ...['wait', 'timeout', 'disableLoadbalancer', 'disableImageVolume', 'disableRollback', 'loadbalancer'],
  ],
  'options.k3s': ['extraArgs', 'nodeLabels'],
  'options.k3s.extraArgs[]': ['arg', 'nodeFilters'],
  'options.k3s.nodeLabels[]': ['label', 'nodeFilters'],
  'options.kubeconfig': ['updateDefaultKubeconfig', 'switchCurrentContext'],
  'options.runtime': ['gpuRequest', 'serversMemory', 'agentsMemory', 'hostPidMode', 'labels', 'ulimits'],
};

/** Keys that k3d does not know, and entries of its lists that lack a node filter or have one that it cannot read. */
function faults(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => faults(item, `${path}[]`));
  if (typeof value !== 'object' || value === null) return [];
  const known = KEYS[path] ?? [];
  const { nodeFilters } = value as { readonly nodeFilters?: readonly string[] };
  const unfiltered =
    known.includes('nodeFilters') && !(nodeFilters?.length && nodeFilters.every((one) => NODE_FILTER.test(one)));
  return [
    ...(unfiltered ? [`${path}: no node filter`] : []),
    ...Object.entries(value).flatMap(([key, item]) => {
      if (key === 'nodeFilters') return [];
      return known.includes(key) ? faults(item, path === '' ? key : `${path}.${key}`) : [`${path}: ${key}`];
    }),
  ];
}

/** What k3d reads, of the one cluster of a lab. */
function configOf(words: ClusterWords = {}) {
  const desired = resolve(lab([cluster('a', { provider: 'k3d', ...words })]), observed());
  const [only] = desired.clusters;
  if (!only) throw new Error('no cluster');
  const config = k3dConfig({ cluster: only, network: desired.network, uid: UID });
  const text = stringify(config, { lineWidth: 0 });
  expect(parse(text)).toEqual(config);
  expect(text).not.toContain('$');
  expect(faults(config)).toEqual([]);
  return config;
}

/** Arguments with the nodes that they are for. */
const argsOf = (words: ClusterWords) =>
  configOf(words).options.k3s.extraArgs.map(({ arg, nodeFilters }) => [arg, ...nodeFilters]);

describe("k3d's configuration", () => {
  it('says as little as needed for a plain cluster', () => {
    expect(configOf()).toEqual({
      apiVersion: 'k3d.io/v1alpha5',
      kind: 'Simple',
      servers: 1,
      agents: 0,
      network: 'lab-practical',
      kubeAPI: { hostIP: '127.0.0.1', hostPort: expect.stringMatching(/^2\d{4}$/) },
      volumes: [{ volume: `/dev/null:/lab/owner/${UID}:ro`, nodeFilters: ['server:*'] }],
      options: {
        k3d: { wait: true, timeout: '840s', disableLoadbalancer: true },
        k3s: {
          extraArgs: [
            { arg: '--cluster-cidr=10.0.0.0/16', nodeFilters: ['server:*'] },
            { arg: '--service-cidr=10.128.0.0/16', nodeFilters: ['server:*'] },
            { arg: '--disable=servicelb', nodeFilters: ['server:*'] },
            { arg: '--disable=traefik', nodeFilters: ['server:*'] },
          ],
        },
        kubeconfig: { updateDefaultKubeconfig: false, switchCurrentContext: false },
      },
    });
  });

  it('gives both families to the servers, and masquerades IPv6', () => {
    const args = argsOf({ ipFamily: 'dual', nodes: { servers: 3, workers: 2 } });
    expect(args).toContainEqual(['--cluster-cidr=10.0.0.0/16,fd00:10::/56', 'server:*']);
    expect(args).toContainEqual(['--flannel-ipv6-masq', 'server:*']);
    expect(args.every(([, ...filters]) => filters.join() === 'server:*')).toBe(true);
    expect(argsOf({}).flat()).not.toContain('--flannel-ipv6-masq');
  });

  it.each([
    ['ipv4', [26, 64], ['ipv4=26']],
    ['dual', [26, 72], ['ipv4=26', 'ipv6=72']],
    ['dual', [24, 72], ['ipv6=72']],
    ['ipv4', [24, 64], []],
  ] as const)('names the node masks that are not the usual ones: %s %j', (ipFamily, nodeMask, expected) => {
    const flag = '--kube-controller-manager-arg=node-cidr-mask-size-';
    const masks = argsOf({ ipFamily, nodeMask }).flatMap(([arg = '']) => (arg.startsWith(flag) ? [arg] : []));
    expect(masks).toEqual(expected.map((mask) => `${flag}${mask}`));
  });

  it('sets domain, zone and proxy mode where they belong', () => {
    const words = { domain: 'east.local', zone: 'zone-a', proxyMode: 'ipvs', nodes: { workers: 1 } } as const;
    expect(argsOf(words)).toContainEqual(['--cluster-domain=east.local', 'server:*']);
    expect(argsOf(words).slice(-2)).toEqual([
      ['--kube-proxy-arg=proxy-mode=ipvs', 'server:*', 'agent:*'],
      ['--kube-proxy-arg=ipvs-strict-arp=true', 'server:*', 'agent:*'],
    ]);
    expect(configOf(words).options.k3s.nodeLabels).toEqual([
      { label: 'topology.kubernetes.io/zone=zone-a', nodeFilters: ['server:*', 'agent:*'] },
    ]);
  });

  it('publishes ports on the first server, as kind does', () => {
    const at = 'a.yaml:9:5';
    const { ports, options } = configOf({
      ports: [
        { host: 8080, node: 80, protocol: 'tcp', at },
        { host: 53, node: 5353, protocol: 'udp', listen: '127.0.0.1', at },
        { host: 8081, node: 81, protocol: 'tcp', listen: '::1', at },
      ],
    });
    expect(ports?.map(({ port }) => port)).toEqual(['8080:80/tcp', '127.0.0.1:53:5353/udp', '[::1]:8081:81/tcp']);
    expect(ports?.every(({ nodeFilters }) => nodeFilters.join() === 'server:0:direct')).toBe(true);
    expect(options.k3d.disableLoadbalancer).toBe(true);
  });

  it("starts k3d's proxy when the block's ports ask for it, or the block itself", () => {
    const port = (filter: string) => ({ providerConfig: { ports: [{ port: '80:80', nodeFilters: [filter] }] } });
    expect(configOf(port('loadbalancer')).options.k3d.disableLoadbalancer).toBe(false);
    expect(configOf(port('agent:0')).options.k3d.disableLoadbalancer).toBe(false);
    expect(configOf(port('server:0:direct')).options.k3d.disableLoadbalancer).toBe(true);
    const asked = { providerConfig: { options: { k3d: { disableLoadbalancer: false } } } };
    expect(configOf(asked).options.k3d.disableLoadbalancer).toBe(false);
  });

  it("merges the user's block last", () => {
    const config = configOf({
      kubernetes: { version: '1.34.4' },
      providerConfig: {
        kubeAPI: { hostPort: '6550' },
        volumes: [{ volume: '/tmp:/tmp', nodeFilters: ['all'] }],
        env: [{ envVar: 'A=1', nodeFilters: ['server:0'] }],
        options: {
          k3s: { extraArgs: [{ arg: '--debug', nodeFilters: ['server:*'] }] },
          runtime: { serversMemory: '2g' },
        },
      },
    });
    expect(config).toMatchObject({
      image: 'rancher/k3s:v1.34.4-k3s1',
      kubeAPI: { hostIP: '127.0.0.1', hostPort: '6550' },
      env: [{ envVar: 'A=1' }],
      options: { runtime: { serversMemory: '2g' } },
    });
    expect(config.volumes.map(({ volume }) => volume)).toEqual([`/dev/null:/lab/owner/${UID}:ro`, '/tmp:/tmp']);
    expect(config.options.k3s.extraArgs.at(-1)).toEqual({ arg: '--debug', nodeFilters: ['server:*'] });
  });
});
