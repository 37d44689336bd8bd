import type { DesiredCluster } from '../lab/desired.ts';
import type { ExemptionRule } from '../lab/routing.ts';
import type { Family } from '../net/address.ts';
import type { RunStep, WaitStep } from '../step/step.ts';

/** A cluster's pod ranges as its nodes hold them. */
export interface NodeRanges {
  readonly node: string;
  /** The node's share of the pod range, one a family. */
  readonly podCidrs: readonly string[];
}

/**
 * How one pod network routes and masquerades. To add one: implement this in a file of its own and put it on the list
 * in `index.ts`.
 */
export interface Cni {
  readonly name: string;
  /** Destinations that peers route to, and by way of which node each. */
  destinations(cluster: { readonly pods: readonly string[]; readonly nodes: readonly NodeRanges[] }): readonly {
    readonly cidr: string;
    readonly node: string;
  }[];
  /** Every node passes packets on to the node of the pod, as they are and whole connections: one way in is enough. */
  readonly passesOn?: true;
  /** The chain of the nat table that gives packets to other clusters the node's own address. */
  readonly masquerades: string;
  /** What the pod network itself puts into the nat table for a cluster's pod range, as `iptables -S` lists it. */
  ownRules(pods: string): readonly string[];
  /**
   * What exempts packets from pods of `own` to pods of `peer` (pod ranges of whole clusters) on a node of `own`. A pod
   * network without it is told of its peers' ranges in the cluster itself (`plan/peer-pools.ts`).
   */
  exemption?(family: Family, own: string, peer: string): ExemptionRule;
  /** Puts it on a cluster whose provider brings none: no node becomes Ready before. */
  install?(cluster: DesiredCluster, needs: readonly string[]): readonly RunStep[];
  /** Waits until all of it runs, once nodes are Ready. */
  wait?(cluster: DesiredCluster, needs: readonly string[]): WaitStep;
}

/** Every node owns its share of the pod range: peers route each share to its node. */
export const perNode: Cni['destinations'] = ({ nodes }) =>
  nodes.flatMap(({ node, podCidrs }) => podCidrs.map((cidr) => ({ cidr, node })));
