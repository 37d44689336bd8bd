import * as z from 'zod/mini';
import { LOAD_BALANCERS } from '../addons/index.ts';
import { described } from '../lab/described.ts';
import type { LoadBalancerName } from '../lab/lab.ts';
import type { Family } from '../net/address.ts';
import { API_VERSION, clusterSpec, plainClusterSpec } from './cluster-schema.ts';
import { labMesh } from './mesh-schema.ts';
import { labelText, nameText, networkText } from './names.ts';
import { once } from './once.ts';
import { cidrText, subnetText } from './ranges.ts';

const poolText = (family: Family, text: string, read: typeof cidrText) =>
  described(z._default(read(family), text), `IPv${family} range to choose from`);

const pool = (v4: string, v6: string, what: string, read = cidrText) =>
  described(
    z.prefault(z.strictObject({ v4: poolText(4, v4, read), v6: poolText(6, v6, read) }), {}),
    `Where ${what} are taken from`,
  );

const network = described(
  z.strictObject({
    name: described(z.optional(networkText), 'Name of the Docker network; by default lab- and the name of the lab'),
    adopt: described(z.optional(networkText), 'Name of an existing Docker network, which is never changed or removed'),
    subnets: described(
      z.optional(z.union([subnetText(), z.array(subnetText())])),
      'Subnet of the network, at most one a family; planned when left out',
    ),
    ipRange: described(z.optional(cidrText()), 'The part of the subnet from which Docker gives addresses to nodes'),
  }),
  'The Docker network that all clusters share',
);

const poolSize = z.int().check(z.gte(1), z.lte(65536));

const ranges = described(
  z.strictObject({
    networks: pool('172.28.0.0/14', 'fd00:1ab::/48', 'subnets of Docker networks', subnetText),
    pods: pool('10.0.0.0/9', 'fd00:10::/32', 'pod ranges'),
    services: pool('10.128.0.0/9', 'fd00:96::/64', 'service ranges'),
    loadBalancer: described(
      z.prefault(z.strictObject({ size: described(z._default(poolSize, 16), "Addresses in each cluster's pool") }), {}),
      'How many addresses a cluster has for its load balancers',
    ),
  }),
  'What the planner chooses from',
);

const loadBalancer = described(
  z.strictObject({
    addon: described(
      z._default(z.enum([...(Object.keys(LOAD_BALANCERS) as LoadBalancerName[]), 'none']), 'metallb'),
      'What answers services of type LoadBalancer',
    ),
    manifest: described(
      z._default(z.string().check(z.minLength(1)), LOAD_BALANCERS.metallb.manifest),
      'Its manifest: a file beside lab.yaml, or an https URL',
    ),
  }),
  'The load balancer of every cluster',
);

const groups = described(
  z.record(
    labelText,
    z.strictObject({
      mode: described(
        z._default(z.enum(['flat', 'gateway', 'federated', 'routes-only']), 'flat'),
        'How the members are linked; routes-only does not link them',
      ),
    }),
  ),
  'Groups that are not linked flat',
);

const link = z.strictObject({
  from: described(z.string(), 'The cluster that uses services'),
  to: described(z.string(), 'The cluster that exports them'),
  mode: described(z._default(z.enum(['flat', 'gateway', 'federated']), 'flat'), 'How the clusters are linked'),
});

const check = z.strictObject({
  name: described(z.string().check(z.minLength(1), z.maxLength(60)), 'What holds, in a few words'),
  from: described(
    z.string().check(z.regex(/^[a-z0-9-]+\/[a-z0-9-]+(\/[a-z0-9.-]*)?$/, 'expected CLUSTER/NAMESPACE/POD')),
    'CLUSTER/NAMESPACE/POD: a ready pod whose name begins so; its proxy, if it has one, sees the request',
  ),
  request: described(
    z.string().check(z.regex(/^http:\/\/[^\s]+$/, 'expected an http URL')),
    'An http URL, with names as the pod knows them',
  ),
  expect: described(
    z.prefault(
      z.strictObject({
        status: described(z._default(z.int().check(z.gte(100), z.lte(599)), 200), 'The status of the answer'),
        contains: described(z.optional(z.string().check(z.minLength(1))), 'Text within its first 64 KiB'),
      }),
      {},
    ),
    'What must come',
  ),
  within: described(
    z._default(z.string().check(z.regex(/^\d{1,4}[sm]$/, 'expected a time such as 30s or 2m')), '30s'),
    'How long it may take until it holds',
  ),
});

const fileWith = <Defaults extends z.ZodMiniType>(defaults: Defaults) =>
  z.strictObject({
    apiVersion: described(z.optional(z.literal(API_VERSION)), 'Version of this format'),
    kind: described(z.literal('Lab'), 'Makes this what the clusters of a folder share'),
    metadata: described(
      z.optional(z.strictObject({ name: described(z.optional(nameText), "Name of the lab; by default its folder's") })),
      'What the lab is called',
    ),
    spec: described(
      z.prefault(
        z.strictObject({
          network: z.prefault(network, {}),
          ranges: z.prefault(ranges, {}),
          loadBalancer: z.prefault(loadBalancer, {}),
          defaults: described(z.optional(defaults), "Any key of a cluster's spec, for all clusters that leave it out"),
          mesh: labMesh,
          groups: z._default(groups, {}),
          checks: described(z._default(z.array(check), []), 'What must hold once the lab is up: run by `lab verify`'),
          links: described(
            z._default(z.array(link), []),
            'Directed links beyond the groups: `from` uses what `to` exports',
          ),
        }),
        {},
      ),
      'What the clusters share',
    ),
  });

export const plainLabFile = fileWith(plainClusterSpec);

export const labFile = once(() =>
  fileWith(clusterSpec()).register(z.globalRegistry, {
    title: 'Lab',
    description: 'What the clusters of a lab share; every key is optional',
  }),
);

export type LabFile = z.output<ReturnType<typeof labFile>>;
