/** Plans 10,000 single-node dual-stack clusters in memory, as a whole process; prints the number of steps. */
import type { Cluster, Lab } from '../../src/lab/lab.ts';
import type { Observed } from '../../src/lab/observed.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { planCreate } from '../../src/plan/plan-create.ts';
import { resolve } from '../../src/plan/resolve.ts';

const CLUSTERS = 10_000;

const clusters = Array.from({ length: CLUSTERS }, (_, n): Cluster => {
  const name = `c${String(n).padStart(5, '0')}`;
  return {
    name,
    at: `${name}.yaml:3:18`,
    provider: 'kind',
    ipFamily: 'dual',
    nodes: { servers: 1, workers: 0 },
    kubernetes: {},
    network: {
      pods: [],
      services: [],
      loadBalancer: [],
      nodeMask: [24, 64],
      domain: 'cluster.local',
      proxyMode: 'iptables',
      preserveSourceIP: true,
      cni: 'kindnet' as const,
    },
    ports: [],
    images: [],
    apps: [],
    providerConfig: {},
    mesh: { name: 'none' },
  };
});

const lab: Lab = {
  name: 'many',
  uid: '000000000000',
  dir: 'many',
  path: '/labs/many',
  network: { name: 'many', adopt: false, subnets: [], at: 'many' },
  ranges: {
    networks: { v4: '172.16.0.0/12', v6: 'fd00:1ab::/48' },
    pods: { v4: '10.0.0.0/9', v6: 'fd00:10::/32' },
    services: { v4: '10.128.0.0/9', v6: 'fd00:96::/64' },
    loadBalancer: { size: 16 },
  },
  loadBalancer: { addon: 'metallb', manifest: { location: 'https://example.org/metallb.yaml' } },
  groups: {},
  mesh: { trustDomain: 'cluster.local', anchor: { lifetime: 315_360_000 } },
  links: [],
  checks: [],
  workloads: [],
  clusters,
};

const observed: Observed = {
  missing: [],
  networks: [],
  clusters: [],
  contexts: [],
  images: {},
  host: { platform: 'linux', routes: [], resolvers: [], portsInUse: [] },
  reservations: [],
};

const names = clusters.map(({ name }) => name);
const desired = resolve(lab, observed);
const plan = planCreate(desired, observed, diffForCreate(desired, observed, { names, recreate: [] }), names);
process.stdout.write(`${plan.steps.length}\n`);
