/** Paths of the Kubernetes API, and what its objects mean, as far as this project reads them. */
import { formatCount } from '../lab/format-count.ts';
import type { WaitFor } from '../step/step.ts';

export interface Metadata {
  readonly name: string;
  readonly namespace?: string;
  readonly generation?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}
interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message?: string;
}

export interface NodeObject {
  readonly metadata: Metadata;
  readonly spec?: { readonly podCIDRs?: readonly string[] };
  readonly status?: {
    readonly conditions?: readonly Condition[];
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    /** Images that are there already, each under all its names. */
    readonly images?: readonly { readonly names?: readonly string[] }[];
  };
}

export interface ContainerStatus {
  readonly name: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: {
    readonly waiting?: { readonly reason?: string; readonly message?: string };
    readonly terminated?: { readonly reason?: string; readonly exitCode?: number };
    readonly running?: { readonly startedAt?: string };
  };
}

export interface PodObject {
  readonly metadata: Metadata;
  readonly spec?: { readonly nodeName?: string; readonly hostNetwork?: boolean };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly Condition[];
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
    readonly containerStatuses?: readonly ContainerStatus[];
  };
}

export const NODES_PATH = '/api/v1/nodes';

/** The namespace of the probes of `lab verify`, and the port at which their load balancer listens. */
export const PROBES = 'lab-verify';
export const PROBE_PORT = 80;

/** The namespace of the probes that are in the mesh, the probe, and its service by how it is exported. */
export const MESH_PROBES = {
  namespace: 'lab-verify-mesh',
  pod: 'probe',
  flat: 'flat',
  gateway: 'gateway',
} as const;

/** How peers' ranges stand in a cluster with Calico, as the operator's resources know them. */
export const PEER_POOL = {
  apiVersion: 'crd.projectcalico.org/v1',
  resource: 'ippools.crd.projectcalico.org',
  path: '/apis/crd.projectcalico.org/v1/ippools',
  label: 'lab/peer',
} as const;

/** How Linkerd's external workloads stand in a cluster, and what marks those of a lab. */
export const EXTERNAL_WORKLOAD = {
  apiVersion: 'workload.linkerd.io/v1beta1',
  resource: 'externalworkloads.workload.linkerd.io',
  path: '/apis/workload.linkerd.io/v1beta1/externalworkloads',
  label: 'lab/owner',
  annotation: 'lab/inputs',
} as const;

/** The kinds of objects that have pods and say how far those are. */
export const WORKLOAD_KINDS = ['deployment', 'daemonset', 'statefulset'] as const;

/** Workloads with these labels, of one kind, in all namespaces. */
export const workloadsPath = (kind: (typeof WORKLOAD_KINDS)[number], selector: string): string =>
  `/apis/apps/v1/${kind}s?labelSelector=${encodeURIComponent(selector)}`;

/** A workload and of which kind it is: an object in a list does not say it. */
export interface Workload {
  readonly kind: (typeof WORKLOAD_KINDS)[number];
  readonly object: { readonly metadata: Metadata; readonly spec?: { readonly replicas?: number } };
}

/** A workload of which nothing is missing: it may want no pod at all. */
export const isSettled = ({ object }: Workload): boolean => object.spec?.replicas === 0 || isRolledOut(object);

type WaitForOne = Exclude<WaitFor, { readonly resource: 'workloads' }>;

/** Where the object that a wait is for can be read. */
export function pathOf(wait: WaitForOne): string {
  if (wait.resource === 'nodes') return NODES_PATH;
  if (wait.resource === 'pods') return `/api/v1/namespaces/${wait.namespace}/pods`;
  return `/apis/apps/v1/namespaces/${wait.namespace}/${wait.resource}s/${wait.name}`;
}

/** Whether a wait is over, and what was seen last for the message when it never is. */
export function judge(wait: WaitForOne, object: unknown): { readonly done: boolean; readonly seen: string } {
  if (wait.resource === 'nodes') {
    const nodes = listOf<NodeObject>(object);
    const waiting = nodes.filter((node) => !isReady(node)).map(({ metadata }) => metadata.name);
    const done = waiting.length === 0 && nodes.length >= wait.count;
    return {
      done,
      seen: `${nodes.length - waiting.length} of ${formatCount(wait.count, 'node')} ready${waiting.length > 0 ? `, not ${waiting.join(', ')}` : ''}`,
    };
  }
  if (wait.resource === 'pods') {
    const waiting = listOf<PodObject>(object).filter((pod) => !isReady(pod));
    const count = listOf(object).length;
    return {
      done: waiting.length === 0 && count >= wait.count,
      seen: waiting[0] ? describePod(waiting[0]) : `${count} of ${formatCount(wait.count, 'pod')}`,
    };
  }
  const done = isRolledOut(object);
  return {
    done,
    seen:
      object === undefined
        ? `${wait.resource} ${wait.name} does not exist`
        : `${wait.resource} ${wait.name} is not ready`,
  };
}

/** The same for many workloads. */
export function judgeWorkloads(workloads: readonly Workload[]): { readonly done: boolean; readonly seen: string } {
  const waiting = workloads.filter((one) => !isSettled(one));
  const names = waiting.map(({ kind, object }) => `${kind} ${object.metadata.namespace}/${object.metadata.name}`);
  return { done: waiting.length === 0, seen: `${names.join(', ')} not ready` };
}

export const listOf = <T>(object: unknown): readonly T[] =>
  (object as { items?: readonly T[] } | undefined)?.items ?? [];

export const isReady = ({ status }: NodeObject | PodObject): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;

/** Why a pod is not ready, as far as it says so itself. */
function describePod({ metadata, status }: PodObject): string {
  const waiting = status?.containerStatuses?.map(({ state }) => state?.waiting).find((one) => one !== undefined);
  const why = [waiting?.reason ?? status?.phase ?? 'not scheduled', waiting?.message].filter(Boolean).join(': ');
  return `pod ${metadata.name} is not ready (${why})`;
}

/** A deployment or daemon set whose newest generation runs on every pod it wants. */
export function isRolledOut(object: unknown): boolean {
  const { metadata, spec, status } = (object ?? {}) as {
    metadata?: Metadata;
    spec?: { replicas?: number };
    status?: Readonly<Record<string, number | undefined>>;
  };
  if (!metadata || !status || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return false;
  const wanted = status.desiredNumberScheduled ?? spec?.replicas ?? 1;
  // During an update the old pods are available, too; a deployment keeps them until the new ones are.
  const updated = status.updatedNumberScheduled ?? status.updatedReplicas ?? 0;
  return (
    wanted > 0 &&
    updated >= wanted &&
    (status.replicas ?? 0) <= updated &&
    (status.numberAvailable ?? status.availableReplicas ?? 0) >= wanted
  );
}

/** The selector of a workload's pods as a query wants it. */
export function selectorOf(object: unknown): string | undefined {
  const { spec } = (object ?? {}) as { spec?: { selector?: { matchLabels?: Readonly<Record<string, string>> } } };
  const labels = Object.entries(spec?.selector?.matchLabels ?? {});
  return labels.length === 0 ? undefined : labels.map(([key, value]) => `${key}=${value}`).join(',');
}

/** Why a pod is not ready, and which container to ask; undefined for one that is. */
export function troubleOf({
  status,
}: PodObject): { readonly text: string; readonly container?: ContainerStatus } | undefined {
  if (status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')) return undefined;
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const isDone = ({ ready, state }: ContainerStatus) => ready === true || state?.terminated?.exitCode === 0;
  const container = statuses.find((one) => !isDone(one));
  const unscheduled = status?.conditions?.find(
    ({ type, status: value }) => type === 'PodScheduled' && value === 'False',
  );
  if (!container) return { text: unscheduled?.message ?? `phase ${status?.phase ?? 'unknown'}` };
  const { waiting, terminated } = container.state ?? {};
  const why = waiting
    ? [waiting.reason, waiting.message].filter(Boolean).join(': ')
    : terminated
      ? `ended with ${terminated.exitCode} (${terminated.reason})`
      : 'runs and is not ready';
  return { text: `container ${container.name} ${why}`, container };
}
