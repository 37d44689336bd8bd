/** What makes one flat network of the clusters of a group: routes and exemptions, a set for each node. */
import type { Family } from '../net/address.ts';

/** A node, where it is on the lab's network, and which pods are its own; `assumed` while its cluster does not answer. */
export interface PlacedNode {
  readonly cluster: string;
  readonly node: string;
  /** On the lab's network, one a family. */
  readonly addresses: readonly string[];
  /** The node's share of the pod range, one a family. */
  readonly podCidrs: readonly string[];
  readonly assumed: boolean;
}

/** Pods of a peer's node, by way of that node's address. */
export interface NodeRoute {
  readonly destination: string;
  readonly via: string;
}

/** A rule of the nat table that keeps the source address of packets from one cluster's pods to another's. */
export interface ExemptionRule {
  readonly family: Family;
  readonly chain: string;
  /** The rule's match and target, as iptables takes and prints them, without the comment that marks it as ours. */
  readonly args: readonly string[];
}

/** For which cluster of the group a route or rule is; `assumed` while that cluster does not run and its addresses are a guess. */
export interface ForPeer {
  readonly peer: string;
  readonly assumed: boolean;
}

/** What one node should have. */
export interface NodeRouting {
  readonly cluster: string;
  readonly node: string;
  readonly routes: readonly (NodeRoute & ForPeer)[];
  readonly exemptions: readonly (ExemptionRule & ForPeer)[];
}

/** What one node has: routes by way of another node, and rules, each with whether it carries our mark. */
export interface NodeNetwork {
  readonly routes: readonly (NodeRoute & { readonly ours: boolean })[];
  readonly rules: readonly (ExemptionRule & {
    readonly ours: boolean;
    /** It stands before everything in its chain that masquerades. */
    readonly effective: boolean;
  })[];
  /** Chains that give packets the node's own source address. */
  readonly masquerading: readonly { readonly family: Family; readonly chain: string }[];
}
