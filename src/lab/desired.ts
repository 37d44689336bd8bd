/** What should be, computed from a `Lab` and what was observed; every range with the reason for it. JSON-safe. */
import type { Cluster, CniName, Lab } from './lab.ts';
import type { DesiredCertificates, DesiredLink } from './mesh.ts';
import type { NodeRouting, PlacedNode } from './routing.ts';
import type { DesiredWorkload } from './workload.ts';

export interface Range {
  /** A CIDR, or `first-last` for a pool. */
  readonly range: string;
  readonly family: 4 | 6;
  readonly reason: string;
}

export interface DesiredSubnet extends Range {
  readonly gateway: string;
  /** Docker hands out addresses only from here, so pools outside it are never taken. */
  readonly ipRange?: string;
}

export interface DesiredNetwork {
  readonly name: string;
  readonly adopt: boolean;
  readonly subnets: readonly DesiredSubnet[];
  readonly labels: Readonly<Record<string, string>>;
  /** Of a network to be made: as the engine's default network has it. */
  readonly mtu?: string;
}

export interface DesiredNode {
  readonly name: string;
  readonly role: 'server' | 'worker';
}

/** Where a pod network that hands out blocks takes them from. */
export interface PodPool {
  readonly cidr: string;
  readonly family: 4 | 6;
  /** Prefix length. */
  readonly blockSize: number;
}

export interface DesiredCluster {
  readonly spec: Cluster;
  readonly name: string;
  readonly nodes: readonly DesiredNode[];
  readonly pods: readonly Range[];
  readonly services: readonly Range[];
  /** Present where the pod network hands out blocks. */
  readonly podPools?: readonly PodPool[];
  readonly loadBalancer: readonly Range[];
  /** Where its API server is published on 127.0.0.1, when the plan chooses the port. */
  readonly apiPort?: number;
  /** The pod network; absent when it is none that routes can be made for. */
  readonly cni?: CniName;
  /** The context of the cluster's own name first, then the provider's; of one that is there already its own. */
  readonly contexts: readonly string[];
  /** What only a rebuild can change, as text: compared with what the cluster was made from. */
  readonly fixed: Readonly<Record<string, string>>;
}

export interface Desired {
  readonly lab: { readonly name: string; readonly uid: string; readonly dir: string; readonly path: string };
  readonly network: DesiredNetwork;
  readonly loadBalancer: Lab['loadBalancer'];
  readonly clusters: readonly DesiredCluster[];
  readonly workloads: readonly DesiredWorkload[];
  /** Every node of every cluster. */
  readonly nodes: readonly PlacedNode[];
  /** Routes and exemptions of every node of every group. */
  readonly routing: readonly NodeRouting[];
  /** Absent when no cluster has a mesh. */
  readonly certificates?: DesiredCertificates;
  /** In the order of consumers, then of exporters. */
  readonly links: readonly DesiredLink[];
  /** Said once, before anything happens: assumptions, and ranges that had to overlap a host route. */
  readonly warnings: readonly string[];
}
