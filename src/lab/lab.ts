/**
 * What a user declared: the specs after reading, with names and defaults filled in, but without a single
 * range that was not written down. Deep-readonly and JSON-safe (ranges are text).
 */
import type { App } from './apps.ts';
import type { Check } from './checks.ts';
import type { ClusterMesh, LabMesh, LinkMode } from './mesh.ts';
import type { Workload } from './workload.ts';

export type ProviderName = 'kind' | 'k3d' | 'existing';
export type IpFamily = 'ipv4' | 'ipv6' | 'dual';
/** Pod networks that routes can be made for: a provider's own, or one that is put on the cluster. */
export type CniName = 'kindnet' | 'flannel' | 'calico';
export type Encapsulation = 'VXLAN' | 'VXLANCrossSubnet' | 'IPIP' | 'IPIPCrossSubnet' | 'None';
export type ProxyMode = 'iptables' | 'ipvs' | 'nftables';
export type LoadBalancerName = 'metallb';
export type GroupMode = LinkMode | 'routes-only';

/** A range that the user wrote, and where (`file:line:col`). */
export interface Pin {
  readonly cidr: string;
  readonly at: string;
}

export interface PortMapping {
  readonly host: number;
  readonly node: number;
  readonly protocol: 'tcp' | 'udp';
  readonly listen?: string;
  readonly at: string;
}

/** A manifest to apply: a URL, or a local file with the SHA-256 of its content. */
export interface Manifest {
  readonly location: string;
  readonly sha256?: string;
}

/** How a cluster is reached that somebody else made. */
export interface Access {
  /** A context of a kubeconfig. */
  readonly context: string;
  /** That kubeconfig, absolute; by default the user's. */
  readonly kubeconfig?: string;
  /** Where the context is named (`file:line:col`). */
  readonly at: string;
}

/** Calico as one cluster has it. */
export interface CalicoSpec {
  /** The operator and the resources that it reads. */
  readonly manifests: readonly Manifest[];
  readonly encapsulation: Encapsulation;
  /** Prefix lengths of the blocks that nodes take out of the pools, v4 and v6; absent: as large as is right. */
  readonly blockSize?: readonly [number, number];
  /** Parts of the pod range, at most one a family, from which pods get addresses; the whole of it when left out. */
  readonly pools: readonly Pin[];
  readonly at: string;
}

export interface Cluster {
  readonly name: string;
  /** `file:line:col` of the cluster's name. */
  readonly at: string;
  readonly provider: ProviderName;
  /** Of a cluster that is there already, and of no other. */
  readonly access?: Access;
  readonly group?: string;
  readonly zone?: string;
  readonly ipFamily: IpFamily;
  readonly nodes: { readonly servers: number; readonly workers: number };
  readonly kubernetes: { readonly image?: string; readonly version?: string };
  readonly network: {
    readonly pods: readonly Pin[];
    readonly services: readonly Pin[];
    readonly loadBalancer: readonly Pin[];
    /** Prefix length of a node's share of the pod range, v4 and v6. */
    readonly nodeMask: readonly [number, number];
    readonly domain: string;
    readonly proxyMode: ProxyMode;
    /** Packets to pods of other clusters of the group keep their pod address. */
    readonly preserveSourceIP: boolean;
    /** Absent: the provider's own. */
    readonly cni?: CniName;
    /** Present when that is Calico. */
    readonly calico?: CalicoSpec;
  };
  readonly ports: readonly PortMapping[];
  readonly images: readonly string[];
  /** The provider's own block (`kind:`), checked by the provider. */
  readonly providerConfig: Readonly<Record<string, unknown>>;
  readonly mesh: ClusterMesh;
  /** Add-ons first, in an order in which each has what it needs; then the apps in theirs. */
  readonly apps: readonly App[];
}

/** Where ranges are taken from, a pool a family; sizes are at most these prefix lengths. */
export interface RangePool {
  readonly v4: string;
  readonly v6: string;
}

export interface NetworkSpec {
  readonly name: string;
  /** An existing network of somebody else's is used as it is and never changed or removed. */
  readonly adopt: boolean;
  readonly subnets: readonly Pin[];
  readonly ipRange?: Pin;
  readonly at: string;
}

export interface Link {
  readonly from: string;
  readonly to: string;
  readonly mode: LinkMode;
  readonly at: string;
}

export interface Lab {
  readonly name: string;
  /** Known by this, not by its name: two checkouts are two labs. Twelve hexadecimal digits. */
  readonly uid: string;
  /** The folder of the specs, as it can be typed in a shell: with quotes where it needs them. */
  readonly dir: string;
  /** The same folder for somebody elsewhere: its real path. */
  readonly path: string;
  readonly network: NetworkSpec;
  readonly ranges: {
    readonly networks: RangePool;
    readonly pods: RangePool;
    readonly services: RangePool;
    readonly loadBalancer: { readonly size: number; readonly sizeAt?: string };
  };
  readonly loadBalancer: { readonly addon: LoadBalancerName | 'none'; readonly manifest: Manifest };
  readonly groups: Readonly<Record<string, { readonly mode: GroupMode }>>;
  readonly mesh: LabMesh;
  readonly links: readonly Link[];
  readonly checks: readonly Check[];
  /** In the order of their names. */
  readonly clusters: readonly Cluster[];
  /** Outside of clusters, in the order of their names. */
  readonly workloads: readonly Workload[];
}
