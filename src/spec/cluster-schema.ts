import * as z from 'zod';
import type { ProviderName } from '../lab/lab.ts';
import { PROVIDERS } from '../providers/index.ts';
import { clusterMesh } from './mesh-schema.ts';
import { domainText, imageText, labelText, nameText } from './names.ts';
import { portText } from './ports.ts';
import { cidrText, intervalText } from './ranges.ts';

export const API_VERSION = 'lab/v1alpha1';

const PROVIDER_NAMES = Object.keys(PROVIDERS) as ProviderName[];

/** A provider's own block stands under the provider's name. */
const providerBlocks = Object.fromEntries(
  Object.values(PROVIDERS).map(({ name, configSchema }) => [name, configSchema.optional()]),
) as Record<ProviderName, z.ZodOptional<z.ZodObject>>;

const oneOrMany = <Item extends z.ZodType>(item: Item) => z.union([item, z.array(item)]).optional();

const nodes = z
  .strictObject({
    servers: z.int().min(1).max(9).default(1).describe('Nodes with the control plane'),
    workers: z.int().min(0).max(99).default(0).describe('Nodes without the control plane'),
  })
  .describe('How many nodes the cluster has');

const kubernetes = z
  .strictObject({
    image: imageText.optional().describe('Image of the nodes; by default the one that the provider brings'),
    version: z
      .string()
      .regex(/^v?1\.\d{1,3}(\.\d{1,3})?$/, 'expected a version such as 1.34 or 1.34.4')
      // A version without quotes is a number to an editor, and the text that was typed to us.
      .meta({ type: ['string', 'number'] })
      .optional()
      .describe(
        'Kubernetes version such as 1.34.4, from which the provider finds the image; kind needs the patch version',
      ),
  })
  .describe('Which Kubernetes runs');

const network = z
  .strictObject({
    pods: oneOrMany(cidrText()).describe('Pod range, at most one a family; planned when left out'),
    services: oneOrMany(cidrText()).describe('Service range, at most one a family; planned when left out'),
    loadBalancer: oneOrMany(intervalText).describe(
      'Addresses for services of type LoadBalancer: a CIDR or first-last; planned from the Docker network when left out',
    ),
    nodeMask: z
      .union([z.int().min(8).max(124), z.tuple([z.int().min(8).max(28), z.int().min(32).max(124)])])
      .optional()
      .describe("Prefix length of a node's share of the pod range: [v4, v6], or one number; default [24, 64]"),
    domain: domainText.default('cluster.local').describe('DNS domain of the cluster'),
    proxyMode: z.enum(['iptables', 'ipvs', 'nftables']).default('iptables').describe('How kube-proxy works'),
    preserveSourceIP: z
      .boolean()
      .default(true)
      .describe('Packets to pods of other clusters of the group arrive with the address of the pod that sent them'),
  })
  .describe('Address ranges and how the cluster uses them; normally all planned');

/** What a cluster is asked to be; each key of it can have a default in lab.yaml. */
export const clusterSpec = z.strictObject({
  provider: z.enum(PROVIDER_NAMES).default('kind').describe('What makes the cluster'),
  group: labelText.optional().describe('Members of a group are routed and linked; without a group a cluster is alone'),
  zone: labelText.optional().describe('Set as the zone label of every node'),
  ipFamily: z.enum(['ipv4', 'ipv6', 'dual']).default('ipv4').describe('Address families of pods and services'),
  nodes: nodes.prefault({}),
  kubernetes: kubernetes.prefault({}),
  network: network.prefault({}),
  ports: z
    .array(portText)
    .default([])
    .describe('Host ports: "8080:80", "127.0.0.1:8080:80", "[::1]:8080:80", "5353:53/udp"'),
  images: z.array(imageText).default([]).describe('Local images that are loaded into every node'),
  mesh: clusterMesh,
  ...providerBlocks,
});

export const clusterFile = z
  .strictObject({
    apiVersion: z.literal(API_VERSION).describe('Version of this format'),
    kind: z.literal('Cluster').describe('Makes this the spec of a cluster'),
    metadata: z
      .strictObject({
        name: nameText.describe('Name of the cluster, its context and its nodes; one of a kind on an engine'),
      })
      .describe('What the cluster is called'),
    spec: clusterSpec.prefault({}).describe('What the cluster is asked to be; every key is optional'),
  })
  .meta({ title: 'Cluster', description: 'One cluster of a lab' });

export type ClusterFile = z.output<typeof clusterFile>;
