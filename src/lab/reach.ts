/** Who reaches whom: what was asked, what was seen, and what it means. JSON-safe. */
import type { Family } from '../net/address.ts';
import type { LinkMode } from './mesh.ts';
import type { ExemptionRule, NodeRoute } from './routing.ts';

/** Stands for this machine where a node could stand. */
export const HOST = 'host';

/** One request from a pod's network namespace on a node, or from this machine. */
export interface Probe {
  readonly id: number;
  readonly node: string;
  /** The pod that asks, by the address that it has in the family of `address`. */
  readonly pod: string;
  readonly address: string;
  readonly port: number;
  /** Nodes on which it should arrive. */
  readonly arrivesOn: readonly string[];
  /** The addresses with which it may arrive, where the port alone does not tell it from others. */
  readonly sources?: readonly string[];
  /** How often it is asked before it counts as silent; once when left out. */
  readonly tries?: number;
}

/** One name that a pod on a node looks up. */
export interface Lookup {
  readonly id: number;
  readonly node: string;
  readonly pod: string;
  readonly server: string;
  readonly name: string;
}

/** What became of a probe: `refused` is an answer too, from a machine on which nobody listens at that port. */
export interface Sighting {
  readonly answer: 'answered' | 'refused' | 'silent';
  /** The source address with which it arrived; absent when it was not seen to arrive. */
  readonly source?: string;
}

/** One node's own pod for probes. */
export interface ProbePod {
  readonly cluster: string;
  readonly node: string;
  /** One a family. */
  readonly addresses: readonly string[];
}

/** A cluster's part of a measurement. */
export interface ProbeTarget {
  readonly cluster: string;
  readonly pods: readonly ProbePod[];
  /** Addresses that a service of type LoadBalancer got, one a family. */
  readonly pool: readonly string[];
  /** Addresses of a service inside the cluster, one a family. */
  readonly services?: readonly string[];
  /** Addresses of the cluster's DNS. */
  readonly dns: readonly string[];
  /** Why there is nothing to measure with. */
  readonly problem?: string;
}

/** One end of a path: a pod, or the pods of a service and the addresses of its load balancer. */
export interface PathEnd {
  readonly cluster: string;
  readonly name: string;
  readonly pods: readonly { readonly node: string; readonly address: string; readonly port?: number }[];
  readonly pool: readonly { readonly address: string; readonly port: number }[];
}

/** One node that a packet passes, with the route and the rule that it hits there. */
export interface Hop {
  readonly node: string;
  readonly route?: NodeRoute;
  readonly rule?: ExemptionRule;
}

/** One answer of `lab verify FROM TO`: a cell with the way there and back. */
export interface Path extends Cell {
  readonly there: readonly Hop[];
  readonly back: readonly Hop[];
}

/** One answer of `lab verify`. */
export interface Cell {
  readonly kind: 'pod' | 'inside' | 'workload' | 'pool' | 'dns';
  /** `node` is `host` for requests from this machine. */
  readonly from: { readonly cluster: string; readonly node: string };
  /** A node, an address of a pool, or a name. */
  readonly to: { readonly cluster: string; readonly name: string };
  readonly family: Family;
  /** `expected`: it cannot work there, and that is known. */
  readonly result: 'ok' | 'failed' | 'expected';
  /** What the routes and rules of the nodes say, as far as they decide it. */
  readonly predicted?: boolean;
  /** The address with which the request arrived. */
  readonly source?: string;
  /** The first hop that stands in the way. */
  readonly reason?: string;
  /** The line to type. */
  readonly repair?: string;
}

/** A request from the meshed probe of one cluster to a service that is mirrored from another. */
export interface MeshRequest {
  readonly from: string;
  readonly to: string;
  /** The mirrored service, in the namespace of the meshed probes of `from`. */
  readonly service: string;
}

/** What the proxies at both ends say of a {@link MeshRequest}. */
export interface MeshSighting {
  readonly from: string;
  readonly to: string;
  /** Whom the client's proxy asked, and whom the server's let in, by their certificates. */
  readonly server?: string;
  readonly client?: string;
  /** Why it is not known, or what is wrong. */
  readonly problem?: string;
  /** It could not be measured, which says nothing about the mesh. */
  readonly unmeasured?: true;
}

/** One answer of `lab verify` about the link from a cluster to another. */
export interface MeshCell {
  readonly kind: 'anchors' | 'issuer' | 'link' | 'request';
  readonly from: { readonly cluster: string };
  readonly to: { readonly cluster: string };
  readonly mode: LinkMode;
  readonly result: 'ok' | 'failed' | 'unmeasured';
  /** What was seen: fingerprints, a date, a mode, identities. */
  readonly seen: string;
  readonly reason?: string;
  /** The line to type. */
  readonly repair?: string;
}
