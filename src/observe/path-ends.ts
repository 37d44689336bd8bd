import { FailedError } from '../errors.ts';
import type { PathEnd } from '../lab/reach.ts';
import { listOf, type PodObject } from '../tools/kube-api.ts';
import { type ApiClient, connectApi } from './api-client.ts';

interface ServiceObject {
  readonly spec?: { readonly ports?: readonly { readonly port: number; readonly protocol?: string }[] };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

interface SliceObject {
  readonly ports?: readonly { readonly port?: number; readonly protocol?: string }[];
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly nodeName?: string;
    readonly conditions?: { readonly ready?: boolean };
  }[];
}

/** What `cluster/name` or `cluster/namespace/name` means. */
export interface PathWord {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * The pod or, where `services` allows it, the service of that name.
 * @throws FailedError when there is none, or when it cannot be an end of a path
 */
export async function readPathEnd(kubeconfig: string, word: PathWord, services: boolean): Promise<PathEnd> {
  const { cluster, namespace, name } = word;
  const api = await connectApi(kubeconfig);
  try {
    const [service, pod] = await Promise.all([
      services ? api.get(`/api/v1/namespaces/${namespace}/services/${name}`) : undefined,
      api.get(`/api/v1/namespaces/${namespace}/pods/${name}`),
    ]);
    if (pod) return podEnd(word, pod as PodObject);
    if (service) return { cluster, name, ...(await serviceEnds(api, word, service as ServiceObject)) };
    const pods = listOf<PodObject>(await api.get(`/api/v1/namespaces/${namespace}/pods`)).map(
      ({ metadata }) => metadata.name,
    );
    throw new FailedError(
      `${cluster} has no ${services ? 'pod or service' : 'pod'} ${name} in namespace ${namespace}`,
      pods.length > 0
        ? `it has ${pods.slice(0, 10).join(', ')}`
        : `name the namespace, too: ${cluster}/NAMESPACE/${name}`,
    );
  } finally {
    api.close();
  }
}

function podEnd({ cluster, name }: PathWord, { spec, status }: PodObject): PathEnd {
  if (spec?.hostNetwork)
    throw new FailedError(`${cluster}/${name} has the network of its node: no route of the lab is about it`);
  const addresses = status?.podIPs?.map(({ ip }) => ip) ?? [];
  const node = spec?.nodeName;
  if (!node || addresses.length === 0)
    throw new FailedError(`${cluster}/${name} has no address yet (${status?.phase})`);
  return { cluster, name, pods: addresses.map((address) => ({ node, address })), pool: [] };
}

/** The pods behind a service, and the addresses of its load balancer: its cluster address is of no use elsewhere. */
async function serviceEnds(
  api: ApiClient,
  { cluster, namespace, name }: PathWord,
  { spec, status }: ServiceObject,
): Promise<Pick<PathEnd, 'pods' | 'pool'>> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D${name}`;
  const slices = listOf<SliceObject>(await api.get(path));
  const isTcp = ({ protocol = 'TCP' }: { readonly protocol?: string }) => protocol === 'TCP';
  const pods = slices.flatMap(({ endpoints = [], ports = [] }) => {
    const port = ports.find(isTcp)?.port;
    return endpoints
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ nodeName, addresses }) =>
        nodeName ? addresses.map((address) => ({ node: nodeName, address, ...(port && { port }) })) : [],
      );
  });
  if (pods.length === 0) throw new FailedError(`no pod is ready behind service ${cluster}/${namespace}/${name}`);
  const port = spec?.ports?.find(isTcp)?.port;
  const pool = status?.loadBalancer?.ingress?.flatMap(({ ip }) => (ip && port ? [{ address: ip, port }] : [])) ?? [];
  return { pods, pool };
}
