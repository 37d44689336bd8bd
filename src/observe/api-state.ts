import { METALLB } from '../addons/metallb.ts';
import type { ApiState, AppliedCluster } from '../lab/observed.ts';
import { RECORD_ANNOTATION } from '../lab/ownership.ts';
import { isReady, isRolledOut, listOf, NODES_PATH, type NodeObject, pathOf } from '../tools/kube-api.ts';
import { type ApiClient, connectApi } from './api-client.ts';
import { readLinkerd } from './linkerd.ts';

export interface ApiAnswer {
  readonly state: ApiState;
  /** The addresses of each node, by its name. */
  readonly addresses: ReadonlyMap<string, readonly string[]>;
  readonly applied?: AppliedCluster;
  /** Names of the certificate of the server that answered. */
  readonly certificateNames?: string;
}

/** What a running cluster says of itself; undefined when its API server does not answer. */
export async function askApi(kubeconfig: string, readsMesh: boolean): Promise<ApiAnswer | undefined> {
  let api: ApiClient | undefined;
  try {
    api = await connectApi(kubeconfig);
    return await readApiState(api, readsMesh);
  } catch {
    // Stopped, starting or broken: what the node itself shows decides what to do then.
    return undefined;
  } finally {
    api?.close();
  }
}

/** The same. @throws when the API server does not answer */
export async function readApiState(api: ApiClient, readsMesh: boolean): Promise<ApiAnswer> {
  const [nodes, loadBalancer, linkerd] = await Promise.all([
    api.get(NODES_PATH),
    readLoadBalancer(api),
    readsMesh ? readLinkerd(api) : undefined,
  ]);
  const objects = listOf<NodeObject>(nodes);
  const record = objects
    .map(({ metadata }) => metadata.annotations?.[RECORD_ANNOTATION])
    .find((text) => text !== undefined);
  const applied = record === undefined ? undefined : parseRecord(record);
  const certificateNames = api.certificateNames();
  return {
    state: {
      nodes: objects.map((node) => ({
        name: node.metadata.name,
        ready: isReady(node),
        podCidrs: node.spec?.podCIDRs ?? [],
        labels: node.metadata.labels ?? {},
      })),
      ...(loadBalancer && { loadBalancer }),
      ...(linkerd && { linkerd }),
    },
    addresses: new Map(
      objects.map(({ metadata, status }) => [metadata.name, (status?.addresses ?? []).map(({ address }) => address)]),
    ),
    ...(applied && { applied }),
    ...(certificateNames !== undefined && { certificateNames }),
  };
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

interface PoolObject {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly addresses?: readonly string[] };
}

async function readLoadBalancer(api: ApiClient): Promise<ApiState['loadBalancer']> {
  const { namespace, controller, speaker, pool } = METALLB;
  const custom = `/apis/metallb.io/v1beta1/namespaces/${namespace}`;
  const [deployment, daemons, found, advertisement] = await Promise.all([
    api.get(pathOf({ resource: 'deployment', namespace, name: controller })),
    api.get(pathOf({ resource: 'daemonset', namespace, name: speaker })),
    api.get(`${custom}/ipaddresspools/${pool}`),
    api.get(`${custom}/l2advertisements/${pool}`),
  ]);
  if (deployment === undefined) return undefined;
  const { metadata, spec } = (found ?? { metadata: {} }) as PoolObject;
  return {
    ready: isRolledOut(deployment) && isRolledOut(daemons),
    manifest: metadata.annotations?.[METALLB.manifestAnnotation] ?? '',
    pools: spec?.addresses ?? [],
    advertised: advertisement !== undefined,
  };
}
