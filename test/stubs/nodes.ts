/** Nodes of stub clusters, whatever makes them: containers of the stub of Docker. */
import { blockAround, formatCidr, parseCidr } from '../../src/net/cidr.ts';
import type { Store, Stored } from './store.ts';

const CLUSTER_LABELS = ['io.x-k8s.kind.cluster', 'k3d.cluster'];

/** The containers of a cluster, servers first. */
export const nodesOf = (store: Store, cluster: string): Stored['containers'][] =>
  store
    .list('containers')
    .filter(({ labels }) => CLUSTER_LABELS.some((label) => labels[label] === cluster))
    .sort((a, b) => rank(a) - rank(b));

const rank = ({ name }: Stored['containers']): number => (/-(control-plane|server-)/.test(name) ? 0 : 1);

/** A node's share of its cluster's pod ranges, with the masks of kubeadm. */
export function shareOf({ pods = '' }: Stored['containers'], index: number): string[] {
  return pods.split(',').map((range) => {
    const { family, first } = parseCidr(range);
    const size = family === 4 ? 2n ** 8n : 2n ** 64n;
    return formatCidr(blockAround({ family, value: first + BigInt(index) * size }, family === 4 ? 24 : 64));
  });
}

/** Notes a running node down. */
export function addNode(
  node: Omit<Stored['containers'], 'id' | 'running' | 'network' | 'addresses'>,
  network: Stored['networks'],
  store: Store,
): void {
  const addresses = takeAddresses(network, store);
  store.write('containers', node.name, {
    ...node,
    id: `id-${node.name}`,
    running: true,
    network: network.name,
    addresses,
  });
}

function takeAddresses({ subnets }: Stored['networks'], store: Store): string[] {
  const number = store.takeNumber();
  return subnets.map(({ Subnet }) => {
    const base = Subnet.replace(/\/.*$/, '');
    return base.includes(':') ? `${base}${number.toString(16)}` : base.replace(/\d+$/, String(number));
  });
}

/** Removes a cluster's nodes and everything that was in them. */
export function removeNodes(cluster: string, store: Store): void {
  for (const { name } of nodesOf(store, cluster)) {
    store.remove('annotations', name);
    store.remove('labels', name);
    store.remove('routing', name);
    store.remove('certificates', name);
    for (const key of store.keys('files').filter((one) => one.startsWith(`${name}:`))) store.remove('files', key);
    store.remove('containers', name);
  }
  for (const key of store.keys('applied').filter((one) => one.startsWith(`${cluster}:`))) store.remove('applied', key);
}

/** In every token: none may ever be printed. */
const CANARY = 'CANARY-';

/** The cluster that a token is for. */
export const clusterOf = (token: string): string => token.replace(CANARY, '');

/** The token tells the API server, which all clusters share, which one is meant. */
export function kubeconfigOf(context: string, cluster: string, store: Store): string {
  const api = store.read('api', 'api');
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: context, cluster: { 'certificate-authority-data': api?.ca, server: api?.server } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
    'current-context': context,
    users: [{ name: context, user: { token: `${CANARY}${cluster}` } }],
  });
}
