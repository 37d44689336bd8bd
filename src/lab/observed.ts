/** What Docker, the host and running clusters really are: the only picture of the world that a plan sees. JSON-safe. */
import type { AppsState } from './apps.ts';
import type { ObservedCertificates } from './certificates.ts';
import type { ProviderName } from './lab.ts';
import type { LinkerdCli, LinkerdState } from './linkerd.ts';
import type { NodeNetwork } from './routing.ts';
import type { ObservedWorkload, WorkloadResource } from './workload.ts';

export interface Subnet {
  readonly cidr: string;
  readonly gateway?: string;
  readonly ipRange?: string;
}

export interface DockerNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly ipv6: boolean;
  readonly subnets: readonly Subnet[];
  readonly labels: Readonly<Record<string, string>>;
  readonly mtu?: string;
  /** Running containers on it, with the addresses they hold. */
  readonly attached: readonly { readonly name: string; readonly addresses: readonly string[] }[];
}

export interface NodeContainer {
  readonly name: string;
  readonly role: 'server' | 'worker' | 'proxy';
  readonly running: boolean;
  readonly image: string;
  /** The addresses it holds on each network; none while it is stopped. */
  readonly networks: Readonly<Record<string, readonly string[]>>;
  readonly hostPorts: readonly string[];
  /** When it started, or stopped if it does not run (RFC 3339). */
  readonly since?: string;
}

/** What answers services of type LoadBalancer in a cluster. */
export interface LoadBalancerState {
  readonly ready: boolean;
  /** What tells its manifest from others; empty when nothing says it. */
  readonly manifest: string;
  readonly pools: readonly string[];
  readonly advertised: boolean;
}

/** What a cluster's API server said; absent when it did not answer. */
export interface ApiState {
  readonly nodes: readonly {
    readonly name: string;
    readonly ready: boolean;
    readonly podCidrs: readonly string[];
    readonly labels: Readonly<Record<string, string>>;
  }[];
  readonly loadBalancer?: LoadBalancerState;
  /** Present where the record says that Calico is the pod network. */
  readonly calico?: {
    /** Its daemon runs on every node. */
    readonly ready: boolean;
    /** Ranges that it takes for those of pods, without handing out addresses of them; those of ours only. */
    readonly peerPools: readonly { readonly name: string; readonly cidr: string }[];
  };
  /** Absent where the API server knows no such resource, or was not asked. */
  readonly workloads?: readonly WorkloadResource[];
  /** Read only where a verb needs it. */
  readonly linkerd?: LinkerdState;
  /** The same. */
  readonly apps?: AppsState;
}

/** What a cluster was made from: kept in the cluster itself, and on its first server for when the API is away. */
export interface AppliedCluster {
  readonly version: 1;
  readonly lab: string;
  readonly uid: string;
  readonly dir: string;
  /** The properties that only a rebuild can change, as sorted `key: value` text. */
  readonly fixed: Readonly<Record<string, string>>;
  readonly pods: readonly string[];
  readonly services: readonly string[];
  readonly loadBalancer: readonly string[];
  /** Local images that were loaded: name to image ID. */
  readonly images: Readonly<Record<string, string>>;
  /** The zone that was set on its nodes. */
  readonly zone?: string;
}

export interface ObservedCluster {
  readonly provider: ProviderName;
  readonly name: string;
  /** uid of the lab that made it; absent when no lab did. */
  readonly owner?: string;
  readonly nodes: readonly NodeContainer[];
  /** Pod and service ranges, when they could be read. */
  readonly ranges?: { readonly pods: readonly string[]; readonly services: readonly string[] };
  /** Present once the cluster has been ready; where it came from does not matter to a plan. */
  readonly applied?: AppliedCluster;
  readonly api?: ApiState;
  /** IP addresses that the certificates of its API servers hold, by server node, as far as they could be read. */
  readonly certificates?: Readonly<Record<string, readonly string[]>>;
  /** Why it is not known whether the cluster was ever ready: nothing may be done to it then. */
  readonly unreadable?: string;
  /** The applied record is on the node but not yet in the API: a run stopped between the two. */
  readonly unmarked?: boolean;
  /** The cluster's own credentials, as far as a plan needs them; absent when no private kubeconfig is kept. */
  readonly credentials?: { readonly ca: string; readonly server: string };
  /** Of a cluster that is there already and that the specs take into the lab: it has no owner and no record. */
  readonly existing?: TakenIn;
}

export interface TakenIn {
  /** What `KUBECONFIG` has to say for its context to be found. */
  readonly kubeconfig: string;
  /** The private kubeconfig differs from what the user's says now. */
  readonly stale: boolean;
  /** What made its nodes, where they are containers of this engine. */
  readonly madeBy?: ProviderName;
  /** Why nothing is known of it, or not all that a plan needs. */
  readonly problem?: { readonly message: string; readonly hint: string };
}

export interface ObservedContext {
  readonly name: string;
  /** The kubeconfig that holds it. */
  readonly file: string;
  /** uid of the lab whose mark the entry carries. */
  readonly owner?: string;
  readonly server?: string;
  /** SHA-256 of the cluster's CA, to tell a context of the same name from ours. */
  readonly ca?: string;
}

/** What pod networks and kube-proxy may need of the kernel of all nodes. */
export const KERNEL_FEATURES = ['ip_vs', 'vxlan', 'ipip'] as const;
export type KernelFeature = (typeof KERNEL_FEATURES)[number];

export interface HostState {
  readonly platform: string;
  readonly routes: readonly { readonly cidr: string; readonly via: string }[];
  readonly resolvers: readonly string[];
  /** How many are in use only root can see: the nodes' are root's. */
  readonly inotify?: { readonly instances: number; readonly watches: number; readonly instancesUsed?: number };
  /** What could be found out of it; nothing for an engine elsewhere. */
  readonly kernel?: Partial<Readonly<Record<KernelFeature, boolean>>>;
  /** False where the kernel has IPv6 switched off. */
  readonly ipv6?: boolean;
  /** Bytes. */
  readonly memoryAvailable?: number;
  readonly diskAvailable?: number;
  /** Host ports, of those that were tried, that something already holds, such as `8080/tcp` or `127.0.0.1:8080/tcp`. */
  readonly portsInUse: readonly string[];
}

/** A range or a port of 127.0.0.1 that a create in progress on this engine has chosen but not yet made. */
export interface Reservation {
  readonly uid: string;
  readonly lab: string;
  readonly use: string;
  readonly cidr?: string;
  readonly port?: number;
}

export interface Engine {
  readonly id: string;
  readonly version: string;
  readonly cpus: number;
  readonly memory: number;
  /** The engine runs on this machine's own kernel, so the host's numbers are the engine's. */
  readonly local: boolean;
  /** Where it keeps its data, on its own machine. */
  readonly rootDir: string;
}

export interface Observed {
  /** Absent: why no engine answered is in `missing`. */
  readonly engine?: Engine;
  /** What is missing on this machine, each with the line to type. */
  readonly missing: readonly { readonly what: string; readonly hint: string; readonly engine?: boolean }[];
  readonly networks: readonly DockerNetwork[];
  readonly clusters: readonly ObservedCluster[];
  readonly contexts: readonly ObservedContext[];
  /** Containers of workloads, whoever's. */
  readonly workloads?: readonly ObservedWorkload[];
  /** Images of the specs that the engine holds: name to image ID. */
  readonly images: Readonly<Record<string, string>>;
  readonly host: HostState;
  readonly reservations: readonly Reservation[];
  /** Routes and rules of nodes by name, as far as they were read. */
  readonly nodeNetworks?: Readonly<Record<string, NodeNetwork>>;
  /** Of a lab with a mesh, as far as a verb asked for them. */
  readonly certificates?: ObservedCertificates;
  /** The CLIs that the specs name, as far as they were asked. */
  readonly linkerdClis?: readonly LinkerdCli[];
  /** Variables that meshes of the specs want passed on and that have no value, by cluster. */
  readonly unsetVariables?: Readonly<Record<string, readonly string[]>>;
}
