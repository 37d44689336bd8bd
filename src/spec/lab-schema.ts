import * as z from 'zod';
import { DEFAULT_MANIFEST } from '../addons/metallb.ts';
import type { Family } from '../net/address.ts';
import { API_VERSION, clusterSpec } from './cluster-schema.ts';
import { labMesh } from './mesh-schema.ts';
import { labelText, nameText, networkText } from './names.ts';
import { cidrText, subnetText } from './ranges.ts';

const poolText = (family: Family, text: string, read: typeof cidrText) =>
  read(family).default(text).describe(`IPv${family} range to choose from`);

const pool = (v4: string, v6: string, what: string, read = cidrText) =>
  z
    .strictObject({ v4: poolText(4, v4, read), v6: poolText(6, v6, read) })
    .prefault({})
    .describe(`Where ${what} are taken from`);

const network = z
  .strictObject({
    name: networkText.optional().describe('Name of the Docker network; by default lab- and the name of the lab'),
    adopt: networkText.optional().describe('Name of an existing Docker network, which is never changed or removed'),
    subnets: z
      .union([subnetText(), z.array(subnetText())])
      .optional()
      .describe('Subnet of the network, at most one a family; planned when left out'),
    ipRange: cidrText().optional().describe('The part of the subnet from which Docker gives addresses to nodes'),
  })
  .describe('The Docker network that all clusters share');

const ranges = z
  .strictObject({
    networks: pool('172.28.0.0/14', 'fd00:1ab::/48', 'subnets of Docker networks', subnetText),
    pods: pool('10.0.0.0/9', 'fd00:10::/32', 'pod ranges'),
    services: pool('10.128.0.0/9', 'fd00:96::/64', 'service ranges'),
    loadBalancer: z
      .strictObject({ size: z.int().min(1).max(65536).default(16).describe("Addresses in each cluster's pool") })
      .prefault({})
      .describe('How many addresses a cluster has for its load balancers'),
  })
  .describe('What the planner chooses from');

const loadBalancer = z
  .strictObject({
    addon: z.enum(['metallb', 'none']).default('metallb').describe('What answers services of type LoadBalancer'),
    manifest: z
      .string()
      .min(1)
      .default(DEFAULT_MANIFEST)
      .describe('Its manifest: a file beside lab.yaml, or an https URL'),
  })
  .describe('The load balancer of every cluster');

const groups = z
  .record(
    labelText,
    z.strictObject({
      mode: z
        .enum(['flat', 'gateway', 'federated', 'routes-only'])
        .default('flat')
        .describe('How the members are linked; routes-only does not link them'),
    }),
  )
  .describe('Groups that are not linked flat');

const link = z.strictObject({
  from: z.string().describe('The cluster that uses services'),
  to: z.string().describe('The cluster that exports them'),
  mode: z.enum(['flat', 'gateway', 'federated']).default('flat').describe('How the clusters are linked'),
});

export const labFile = z
  .strictObject({
    apiVersion: z.literal(API_VERSION).optional().describe('Version of this format'),
    kind: z.literal('Lab').describe('Makes this what the clusters of a folder share'),
    metadata: z
      .strictObject({ name: nameText.optional().describe("Name of the lab; by default its folder's") })
      .optional()
      .describe('What the lab is called'),
    spec: z
      .strictObject({
        network: network.prefault({}),
        ranges: ranges.prefault({}),
        loadBalancer: loadBalancer.prefault({}),
        defaults: clusterSpec.optional().describe("Any key of a cluster's spec, for all clusters that leave it out"),
        mesh: labMesh,
        groups: groups.default({}),
        links: z.array(link).default([]).describe('Directed links beyond the groups: `from` uses what `to` exports'),
      })
      .prefault({})
      .describe('What the clusters share'),
  })
  .meta({ title: 'Lab', description: 'What the clusters of a lab share; every key is optional' });

export type LabFile = z.output<typeof labFile>;
