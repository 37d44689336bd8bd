/**
 * What an API server says after a restart of a node. Until the node's kubelet speaks up again, the node and its pods
 * look as they did before: Ready.
 */
import type { NodeContainer } from '../lab/observed.ts';
import { listOf, type Metadata, type PodObject } from './kube-api.ts';

/** Node name to the moment (RFC 3339) at which its container started, or stopped if it does not run. */
export type Restarts = Readonly<Record<string, string>>;

export const restartsOf = (nodes: readonly NodeContainer[]): Restarts =>
  Object.fromEntries(nodes.flatMap(({ name, role, since }) => (since && role !== 'proxy' ? [[name, since]] : [])));

export const LEASES_PATH = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
export const PODS_PATH = '/api/v1/pods';

interface LeaseObject {
  readonly metadata: Metadata;
  readonly spec?: { readonly renewTime?: string };
}

/**
 * Nodes of `restarts` of which the API server has old news: whose lease, which a kubelet renews every ten seconds, is
 * from before, or with a container that still seems to run since before.
 */
export function notHeardOf(restarts: Restarts, leases: unknown, pods: unknown): readonly string[] {
  const renewed = new Map(listOf<LeaseObject>(leases).map(({ metadata, spec }) => [metadata.name, spec?.renewTime]));
  // Kubernetes gives whole seconds.
  const second = (time: string) => Math.floor(Date.parse(time) / 1000);
  const isOld = (node: string, time: string | undefined) =>
    time !== undefined && second(time) < second(restarts[node] ?? time);
  const startsOf = ({ status }: PodObject) =>
    (status?.containerStatuses ?? []).map(({ state }) => state?.running?.startedAt);
  const withOldPods = listOf<PodObject>(pods).flatMap((pod) => {
    const node = pod.spec?.nodeName;
    return node !== undefined && startsOf(pod).some((time) => isOld(node, time)) ? [node] : [];
  });
  return Object.keys(restarts).filter((node) => isOld(node, renewed.get(node)) || withOldPods.includes(node));
}
