/** External workloads: programs beside a cluster that are members of its mesh. JSON-safe. */
import type { Pin } from './lab.ts';

export interface WorkloadPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}

/** The user's word that SPIRE may sign with the key of the trust anchor: it gives a workload its identity, and so a proxy. */
export interface Spire {
  readonly at: string;
  readonly images: {
    readonly server: string;
    readonly agent: string;
    /** Linkerd's proxy; absent: of the version that the cluster runs. */
    readonly proxy?: string;
  };
}

/** What the user declared. */
export interface Workload {
  /** Also the container's name. */
  readonly name: string;
  readonly at: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly image: string;
  /** In place of what the image runs. */
  readonly command?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly WorkloadPort[];
  /** By which Services find it. */
  readonly labels: Readonly<Record<string, string>>;
  readonly identity?: string;
  readonly spire?: Spire;
  readonly addresses: readonly Pin[];
  /** SHA-256 of everything that only another container can change. */
  readonly digest: string;
}

export interface WorkloadAddress {
  readonly address: string;
  readonly family: 4 | 6;
  readonly reason: string;
}

/** What should be. */
export interface DesiredWorkload {
  readonly spec: Workload;
  readonly name: string;
  readonly cluster: string;
  /** On the lab's network, one a family. */
  readonly addresses: readonly WorkloadAddress[];
  /** The cluster's DNS, as a service has it. */
  readonly dns: string;
  readonly identity: { readonly id: string; readonly serverName: string };
  /** Everything by way of a node: pods of the group, and the cluster's services; `assumed` while nodes are a guess. */
  readonly routes: readonly { readonly destination: string; readonly via: string }[];
  readonly assumed: boolean;
}

/** What runs beside a workload, the last one first to be made. */
export const sidecarsOf = (workload: string) =>
  ({ proxy: `${workload}-proxy`, agent: `${workload}-spire-agent`, server: `${workload}-spire-server` }) as const;

/** What a lab made for a workload; without a digest where its own container is gone. */
export interface ObservedWorkload {
  readonly name: string;
  readonly cluster: string;
  /** uid of the lab that made it. */
  readonly owner: string;
  readonly running: boolean;
  readonly digest: string;
  readonly network: string;
  /** As it was made with, also while it is stopped. */
  readonly addresses: readonly string[];
  /** Names of those beside it, running or not, in the order in which they can be removed. */
  readonly sidecars: readonly string[];
  /** Present where all of them run, and as far as it was asked the proxy has an identity: what it was made from. */
  readonly proxy?: string;
  /** Present where routes were read. */
  readonly routes?: readonly { readonly destination: string; readonly via: string; readonly ours: boolean }[];
}

/** Labels of such a container. */
export const WORKLOAD_LABELS = {
  uid: 'lab.uid',
  name: 'lab.workload',
  cluster: 'lab.workload.cluster',
  digest: 'lab.workload.digest',
  addresses: 'lab.workload.addresses',
  network: 'lab.workload.network',
  proxy: 'lab.workload.proxy',
} as const;

/** An ExternalWorkload of this lab in a cluster. */
export interface WorkloadResource {
  readonly name: string;
  readonly namespace: string;
  readonly owner: string;
  /** What it was written from. */
  readonly inputs: string;
  readonly ready: boolean;
}
