import * as z from 'zod/mini';
import { described } from '../lab/described.ts';
import type { ProviderName } from '../lab/lab.ts';
import { PROVIDERS } from '../providers/index.ts';
import { addons, apps } from './app-schema.ts';
import { calicoBlock } from './calico-schema.ts';
import { clusterMesh } from './mesh-schema.ts';
import { domainText, imageText, labelText, nameText } from './names.ts';
import { once } from './once.ts';
import { portText } from './ports.ts';
import { cidrText, intervalText } from './ranges.ts';

export const API_VERSION = 'lab/v1alpha1';

const PROVIDER_NAMES = Object.keys(PROVIDERS) as ProviderName[];

const whole = (least: number, most: number) => z.int().check(z.gte(least), z.lte(most));

const oneOrMany = <Item extends z.ZodMiniType>(item: Item) => z.optional(z.union([item, z.array(item)]));

const nodes = described(
  z.strictObject({
    servers: described(z._default(whole(1, 9), 1), 'Nodes with the control plane'),
    workers: described(z._default(whole(0, 99), 0), 'Nodes without the control plane'),
  }),
  'How many nodes the cluster has',
);

const version = z
  .string()
  .check(z.regex(/^v?1\.\d{1,3}(\.\d{1,3})?$/, 'expected a version such as 1.34 or 1.34.4'))
  // A version without quotes is a number to an editor, and the text that was typed to us.
  .register(z.globalRegistry, { type: ['string', 'number'] });

const kubernetes = described(
  z.strictObject({
    image: described(z.optional(imageText), 'Image of the nodes; by default the one that the provider brings'),
    version: described(
      z.optional(version),
      'Kubernetes version such as 1.34.4, from which the provider finds the image; kind needs the patch version',
    ),
  }),
  'Which Kubernetes runs',
);

const network = described(
  z.strictObject({
    pods: described(oneOrMany(cidrText()), 'Pod range, at most one a family; planned when left out'),
    services: described(oneOrMany(cidrText()), 'Service range, at most one a family; planned when left out'),
    loadBalancer: described(
      oneOrMany(intervalText),
      'Addresses for services of type LoadBalancer: a CIDR or first-last; planned from the Docker network when left out',
    ),
    nodeMask: described(
      z.optional(z.union([whole(8, 124), z.tuple([whole(8, 28), whole(32, 124)])])),
      "Prefix length of a node's share of the pod range: [v4, v6], or one number; default [24, 64]",
    ),
    domain: described(z._default(domainText, 'cluster.local'), 'DNS domain of the cluster'),
    proxyMode: described(z._default(z.enum(['iptables', 'ipvs', 'nftables']), 'iptables'), 'How kube-proxy works'),
    cni: described(
      z.optional(z.enum(['kindnet', 'flannel', 'calico'])),
      'The pod network: calico; by default that of the provider, kindnet or flannel',
    ),
    calico: z.optional(calicoBlock),
    preserveSourceIP: described(
      z._default(z.boolean(), true),
      'Packets to pods of other clusters of the group arrive with the address of the pod that sent them',
    ),
  }),
  'Address ranges and how the cluster uses them; normally all planned',
);

/** What a cluster is asked to be, without the blocks of the providers. */
const keys = {
  provider: described(
    z._default(z.enum(PROVIDER_NAMES), 'kind'),
    'What makes the cluster; existing: it is there already',
  ),
  context: described(
    z.optional(z.string().check(z.minLength(1), z.maxLength(512))),
    'Context of an existing cluster in the kubeconfig',
  ),
  kubeconfig: described(
    z.optional(z.string().check(z.minLength(1))),
    "The kubeconfig that has the context of an existing cluster; by default the user's",
  ),
  group: described(
    z.optional(labelText),
    'Members of a group are routed and linked; without a group a cluster is alone',
  ),
  zone: described(z.optional(labelText), 'Set as the zone label of every node'),
  ipFamily: described(z._default(z.enum(['ipv4', 'ipv6', 'dual']), 'ipv4'), 'Address families of pods and services'),
  nodes: z.prefault(nodes, {}),
  kubernetes: z.prefault(kubernetes, {}),
  network: z.prefault(network, {}),
  ports: described(
    z._default(z.array(portText), []),
    'Host ports: "8080:80", "127.0.0.1:8080:80", "[::1]:8080:80", "5353:53/udp"',
  ),
  images: described(z._default(z.array(imageText), []), 'Local images that are loaded into every node'),
  mesh: clusterMesh,
  addons,
  apps,
};

/** A provider's own block stands under the provider's name. */
const providerBlocks = () =>
  Object.fromEntries(
    Object.values(PROVIDERS).flatMap(({ name, configSchema }) =>
      configSchema ? [[name, z.optional(configSchema())]] : [],
    ),
  ) as Record<Exclude<ProviderName, 'existing'>, z.ZodMiniOptional<z.ZodMiniObject>>;

/** A cluster's spec without a provider's block: theirs take as long to build as all the rest, and few specs have one. */
export const plainClusterSpec = z.strictObject(keys);

/** What a cluster is asked to be; each key of it can have a default in lab.yaml. */
export const clusterSpec = once(() => z.strictObject({ ...keys, ...providerBlocks() }));

const fileWith = <Spec extends z.ZodMiniType>(spec: Spec) =>
  z.strictObject({
    apiVersion: described(z.literal(API_VERSION), 'Version of this format'),
    kind: described(z.literal('Cluster'), 'Makes this the spec of a cluster'),
    metadata: described(
      z.strictObject({
        name: described(
          z.clone(nameText),
          'Name of the cluster, its context and its nodes; one of a kind on an engine',
        ),
      }),
      'What the cluster is called',
    ),
    spec: described(spec, 'What the cluster is asked to be; every key is optional'),
  });

export const plainClusterFile = fileWith(z.prefault(plainClusterSpec, {}));

export const clusterFile = once(() =>
  fileWith(z.prefault(clusterSpec(), {})).register(z.globalRegistry, {
    title: 'Cluster',
    description: 'One cluster of a lab',
  }),
);

export type ClusterFile = z.output<ReturnType<typeof clusterFile>>;
