import { LOAD_BALANCERS } from '../addons/index.ts';
import { CALICO_DAEMONS } from '../cni/calico-install.ts';
import type { ApiState, AppliedCluster } from '../lab/observed.ts';
import { RECORD_ANNOTATION } from '../lab/ownership.ts';
import {
  isReady,
  isRolledOut,
  listOf,
  type Metadata,
  NODES_PATH,
  type NodeObject,
  PEER_POOL,
  pathOf,
} from '../tools/kube-api.ts';
import { LEASES_PATH, notHeardOf, PODS_PATH, type Restarts } from '../tools/node-restart.ts';
import { type ApiClient, connectApi } from './api-client.ts';
import { readApps } from './apps.ts';
import { readWorkloadResources } from './external-workloads.ts';
import { readLinkerd } from './linkerd.ts';

/** The hashes of the apps that should be there, by name. */
export type AppHashes = ReadonlyMap<string, string>;

/** What an API server is asked beside its nodes and load balancer. */
export interface Asked {
  /** Of the lab. */
  readonly uid: string;
  readonly mesh: boolean;
  /** The apps that should be there, where apps are looked at. */
  readonly apps: AppHashes | undefined;
  readonly workloads: boolean;
  /** Nodes that restarted a short while ago. */
  readonly restarts: Restarts;
}

export interface ApiAnswer {
  readonly state: ApiState;
  /** The addresses of each node, by its name. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly applied?: AppliedCluster;
  /** Names of the certificate of the server that answered. */
  readonly certificateNames?: string;
}

/** What a running cluster says of itself; undefined when its API server does not answer. */
export async function askApi(kubeconfig: string, asked: Asked): Promise<ApiAnswer | undefined> {
  let api: ApiClient | undefined;
  try {
    api = await connectApi(kubeconfig);
    return await readApiState(api, asked);
  } catch {
    // Stopped, starting or broken: what the node itself shows decides what to do then.
    return undefined;
  } finally {
    api?.close();
  }
}

/** The same. @throws when the API server does not answer */
export async function readApiState(api: ApiClient, asked: Asked): Promise<ApiAnswer> {
  const [nodes, silent, loadBalancer, linkerd, apps, workloads] = await Promise.all([
    api.get(NODES_PATH),
    readSilent(api, asked.restarts),
    readLoadBalancer(api),
    asked.mesh ? readLinkerd(api) : undefined,
    asked.apps && readApps(api, asked.uid, asked.apps),
    asked.workloads ? readWorkloadResources(api) : undefined,
  ]);
  const objects = listOf<NodeObject>(nodes);
  const record = objects
    .map(({ metadata }) => metadata.annotations?.[RECORD_ANNOTATION])
    .find((text) => text !== undefined);
  const applied = record === undefined ? undefined : parseRecord(record);
  const calico = applied?.fixed['network.cni']?.startsWith('calico') ? await readCalico(api) : undefined;
  const certificateNames = api.certificateNames();
  return {
    state: {
      nodes: objects.map((node) => ({
        name: node.metadata.name,
        ready: isReady(node) && !silent.includes(node.metadata.name),
        podCidrs: node.spec?.podCIDRs ?? [],
        labels: node.metadata.labels ?? {},
      })),
      ...(loadBalancer && { loadBalancer }),
      ...(calico && { calico }),
      ...(linkerd && { linkerd }),
      ...(apps && { apps }),
      ...(workloads && { workloads }),
    },
    addresses: new Map(
      objects.map(({ metadata, status }) => [metadata.name, (status?.addresses ?? []).map(({ address }) => address)]),
    ),
    ...(applied && { applied }),
    ...(certificateNames !== undefined && { certificateNames }),
  };
}

async function readSilent(api: ApiClient, restarts: Restarts): Promise<readonly string[]> {
  if (Object.keys(restarts).length === 0) return [];
  return notHeardOf(restarts, ...(await Promise.all([api.get(LEASES_PATH), api.get(PODS_PATH)])));
}

/** Reads a record that `lab` left in a cluster; anything else is as if there were none. */
export function parseRecord(text: string): AppliedCluster | undefined {
  try {
    const record = JSON.parse(text) as AppliedCluster;
    return record.version === 1 && Array.isArray(record.pods) && Array.isArray(record.services) ? record : undefined;
  } catch {
    return undefined;
  }
}

interface PeerPoolObject {
  readonly metadata: Metadata;
  readonly spec?: { readonly cidr?: string };
}

async function readCalico(api: ApiClient): Promise<NonNullable<ApiState['calico']>> {
  const [daemons, pools] = await Promise.all([
    api.get(pathOf({ resource: 'daemonset', ...CALICO_DAEMONS })),
    api.get(PEER_POOL.path),
  ]);
  return {
    ready: isRolledOut(daemons),
    peerPools: listOf<PeerPoolObject>(pools).flatMap(({ metadata: { name, labels }, spec }) =>
      spec?.cidr && labels?.[PEER_POOL.label] ? [{ name, cidr: spec.cidr }] : [],
    ),
  };
}

/** The load balancer that the cluster has, whichever it is. */
async function readLoadBalancer(api: ApiClient): Promise<ApiState['loadBalancer']> {
  const found = await Promise.all(
    Object.values(LOAD_BALANCERS).map(async ({ reads, read }) =>
      read(await Promise.all(reads.map((path) => api.get(path)))),
    ),
  );
  return found.find((state) => state !== undefined);
}
