import * as z from 'zod/mini';
import { described } from '../lab/described.ts';
import type { Cluster } from '../lab/lab.ts';
import { parseCidr } from '../net/cidr.ts';
import { NODE_FILTER } from '../tools/k3d.ts';
import type { DataMap } from '../tools/write-yaml.ts';
import { planned, type Refusal } from './provider.ts';

/** k3d counts its proxy as a node, so that nearly every entry without a filter is an error: all need one here. */
const nodeFilters = () =>
  described(
    z
      .array(
        z
          .string()
          .check(z.regex(NODE_FILTER, 'expected a node filter such as "server:*", "agent:0" or "loadbalancer"')),
      )
      .check(z.minLength(1)),
    'Which nodes: "server:*", "agent:0", "loadbalancer"; "server:0:direct" publishes a port without the proxy',
  );

const filtered = <Key extends string>(key: Key) =>
  z.optional(z.array(z.strictObject({ [key]: z.string(), nodeFilters: nodeFilters() })));

/** A key of k3d's that no spec may have, with the reason. */
const never = (error: string) => z.optional(z.never({ error }));

const text = () => z.optional(z.string());

const options = () =>
  z.strictObject({
    k3d: z.optional(
      z.strictObject({
        disableLoadbalancer: described(z.optional(z.boolean()), "true unless a port asks for k3d's proxy"),
        loadbalancer: z.optional(z.strictObject({ configOverrides: z.optional(z.array(z.string())) })),
        disableImageVolume: never('k3d cannot create a cluster without its image volume'),
      }),
    ),
    k3s: z.optional(z.strictObject({ extraArgs: filtered('arg'), nodeLabels: filtered('label') })),
    runtime: z.optional(
      z.strictObject({
        gpuRequest: text(),
        serversMemory: text(),
        agentsMemory: text(),
        hostPidMode: z.optional(z.boolean()),
        labels: filtered('label'),
        ulimits: z.optional(z.array(z.strictObject({ name: z.string(), soft: z.number(), hard: z.number() }))),
      }),
    ),
    kubeconfig: planned('--kubeconfig'),
  });

/** k3d's own configuration (v1alpha5), as far as it does not contradict the plan. */
export const k3dBlockSchema = () =>
  described(
    z.strictObject({
      image: described(
        z.optional(z.string()),
        'Image of the nodes, for k3d clusters only: it wins over kubernetes.image',
      ),
      kubeAPI: described(
        z.optional(
          z.strictObject({
            host: text(),
            hostIP: z.optional(z.ipv4()),
            hostPort: z.optional(z.string().check(z.regex(/^\d{1,5}$/, 'expected a port in quotes, such as "6550"'))),
          }),
        ),
        'Where the API server is published; by default on 127.0.0.1 and a port that the plan chooses',
      ),
      volumes: filtered('volume'),
      ports: filtered('port'),
      env: filtered('envVar'),
      registries: z.optional(
        z.strictObject({
          use: z.optional(z.array(z.string())),
          create: z.optional(z.record(z.string(), z.unknown())),
          config: text(),
        }),
      ),
      hostAliases: z.optional(z.array(z.strictObject({ ip: z.string(), hostnames: z.array(z.string()) }))),
      options: z.optional(options()),
      metadata: planned('metadata.name'),
      servers: planned('spec.nodes.servers'),
      agents: planned('spec.nodes.workers'),
      network: planned('spec.network in lab.yaml'),
      subnet: planned('spec.network in lab.yaml'),
      token: never('k3d makes a token by itself; one in a spec would be printed with every plan'),
    }),
    "k3d's own configuration, merged last; what would break the plan is refused",
  );

/** A list of k3d's configuration whose entries say for which nodes they are. */
export type Filtered<Key extends string> = readonly (Readonly<Record<Key, string>> & {
  readonly nodeFilters: readonly string[];
})[];

export interface K3dBlock {
  readonly image?: string;
  readonly kubeAPI?: { readonly host?: string; readonly hostIP?: string; readonly hostPort?: string };
  readonly volumes?: Filtered<'volume'>;
  readonly ports?: Filtered<'port'>;
  readonly options?: {
    readonly k3d?: { readonly disableLoadbalancer?: boolean };
    readonly k3s?: { readonly extraArgs?: Filtered<'arg'>; readonly nodeLabels?: Filtered<'label'> };
    readonly runtime?: DataMap;
  };
}

/** Arguments of k3s that the plan sets, each with the key of the spec that says the same. */
const PLANNED_ARGS: readonly (readonly [RegExp, string])[] = [
  [/^--cluster-cidr\b/, 'spec.network.pods'],
  [/^--service-cidr\b/, 'spec.network.services'],
  [/^--cluster-domain\b/, 'spec.network.domain'],
  [/^--kube-proxy-arg[= ]-{0,2}(proxy-mode|ipvs-strict-arp)\b/, 'spec.network.proxyMode'],
  [/^--kube-controller-manager-arg[= ]-{0,2}node-cidr-mask-size/, 'spec.network.nodeMask'],
  [/^--flannel-ipv6-masq\b/, 'spec.ipFamily'],
  [/^--flannel-backend[= ]none\b/, "k3s' own pod network, which routes are made for"],
  [/^--disable[= ](servicelb|traefik)\b/, 'nothing: both are off'],
  [/^--node-ip\b/, "nothing: k3s takes the node's addresses on the Docker network"],
];

/** k3s' agents end with "flag provided but not defined" when they are given one of these. */
const SERVER_ONLY =
  /^--(disable|tls-san|cluster-|service-|flannel-(backend|ipv6)|kube-(apiserver|controller-manager|scheduler)-arg|datastore-|etcd-|write-kubeconfig|secrets-encryption|egress-selector)/;

/** What k3d cannot do, and what would break the plan. */
export function checkForK3d(cluster: Cluster): Refusal[] {
  const { ipFamily, kubernetes, network, providerConfig } = cluster;
  const block = providerConfig as K3dBlock;
  const refusals: Refusal[] = [];
  if (ipFamily === 'ipv6') {
    refusals.push({
      path: 'spec.ipFamily',
      message: 'k3d cannot make an IPv6-only cluster: it reads only IPv4 of a network and of who is on it',
      hint: 'use ipFamily dual, or provider kind',
    });
  }
  if (kubernetes.version && !kubernetes.image && !block.image && !/^\d+\.\d+\.\d+/.test(kubernetes.version)) {
    refusals.push({
      path: 'spec.kubernetes.version',
      message: `k3s has an image for each patch version, not for ${kubernetes.version}`,
      hint: 'such as 1.34.4: https://hub.docker.com/r/rancher/k3s/tags',
    });
  }
  for (const use of ['pods', 'services'] as const) {
    const [first, second] = network[use];
    if (first && second && parseCidr(first.cidr).family === 6) {
      refusals.push({
        path: `spec.network.${use}.0`,
        message: "k3d cannot make an IPv6-first cluster: k3s would have to be told every node's addresses beforehand",
        hint: 'write the IPv4 range first',
      });
    }
  }
  network.services.forEach(({ cidr }, index) => {
    if (parseCidr(cidr).family === 6 && parseCidr(cidr).prefix < 112) {
      refusals.push({
        path: `spec.network.services.${index}`,
        message: `${cidr} is larger than k3s allows`,
        hint: 'at least /112',
      });
    }
  });
  return [...refusals, ...checkArgs(block), ...checkDollars(providerConfig, 'spec.k3d')];
}

function checkArgs({ options }: K3dBlock): Refusal[] {
  return (options?.k3s?.extraArgs ?? []).flatMap(({ arg, nodeFilters }, index): Refusal[] => {
    const path = `spec.k3d.options.k3s.extraArgs.${index}`;
    const instead = PLANNED_ARGS.find(([pattern]) => pattern.test(arg))?.[1];
    if (instead) return [{ path: `${path}.arg`, message: `the plan sets this: use ${instead}` }];
    if (SERVER_ONLY.test(arg) && nodeFilters.some((filter) => /^(agent|all)/.test(filter)))
      return [
        { path: `${path}.nodeFilters`, message: `agents do not know ${arg} and would end`, hint: 'use ["server:*"]' },
      ];
    return [];
  });
}

/** k3d puts a variable of the environment in the place of every `$NAME`, and knows no way to write a `$` itself. */
function checkDollars(value: unknown, path: string): Refusal[] {
  if (typeof value === 'string') {
    return value.includes('$')
      ? [{ path, message: 'has a $, which k3d would replace by a variable of the environment', hint: 'write it out' }]
      : [];
  }
  if (value === null || typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, item]) => checkDollars(item, `${path}.${key}`));
}
