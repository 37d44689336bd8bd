import { CNIS } from '../cni/index.ts';
import type { CniName } from '../lab/lab.ts';
import type { Hop } from '../lab/reach.ts';
import type { ExemptionRule, NodeNetwork, PlacedNode } from '../lab/routing.ts';
import { type Family, familyOf } from '../net/address.ts';
import { holds, lookUp } from '../net/route-table.ts';

/** A pod on a node of the lab. */
export interface Pod {
  readonly node: PlacedNode;
  readonly address: string;
}

/** What packets meet: every node of the lab, and the routes and rules of those that could be read. */
export interface Roads {
  readonly nodes: readonly PlacedNode[];
  readonly networks: Readonly<Record<string, NodeNetwork>>;
  readonly cniOf: (cluster: string) => CniName;
  /** Ranges that a cluster's pod network takes for those of pods, beside its own. */
  readonly peerPools: (cluster: string) => readonly string[];
}

/** Where the way of a packet ends too early, or loses its source address. */
export interface Fault {
  readonly node: string;
  readonly text: string;
}

export interface Trace {
  readonly there: readonly Hop[];
  readonly back: readonly Hop[];
  /** A request arrives and its answer comes back. */
  readonly reached: boolean;
  /** The source address with which it arrives. */
  readonly source: string;
  /** The first hop that stands in the way, or that takes the source address away. */
  readonly fault?: Fault;
}

/** The way of a request from one pod to another and of its answer, as the nodes' routes and rules decide it. */
export function trace(roads: Roads, from: Pod, to: Pod): Trace {
  const there = cross(roads, from, to);
  const kept = sourceKept(roads, from, to);
  const source = kept.kept ? from.address : addressOf(from.node, familyOf(to.address));
  const first: Hop = { ...there.hop, ...(kept.rule && { rule: kept.rule }) };
  const way = [first, { node: to.node.node }];
  if (there.fault) return { there: [first], back: [], reached: false, source, fault: there.fault };
  // An answer to the node's own address needs no route: all nodes are on one network.
  if (!kept.kept) {
    const text = `masqueraded by chain ${kept.chain} on ${from.node.node}`;
    const back = [{ node: to.node.node }, { node: from.node.node }];
    return { there: way, back, reached: true, source, fault: { node: from.node.node, text } };
  }
  const answer = cross(roads, to, from);
  const back = [answer.hop, ...(answer.fault ? [] : [{ node: from.node.node }])];
  if (!answer.fault) return { there: way, back, reached: true, source };
  return { there: way, back, reached: false, source, fault: { ...answer.fault, text: `answer: ${answer.fault.text}` } };
}

const addressOf = (node: PlacedNode, family: Family): string =>
  node.addresses.find((address) => familyOf(address) === family) ?? '';

/** From a pod's node to the node of another cluster's pod: the one route that decides it. */
function cross({ nodes, networks, cniOf }: Roads, from: Pod, to: Pod): { readonly hop: Hop; readonly fault?: Fault } {
  const { node } = from.node;
  const route = lookUp(networks[node]?.routes ?? [], to.address);
  const hop: Hop = { node, ...(route && { route: { destination: route.destination, via: route.via } }) };
  const fault = (text: string) => ({ hop, fault: { node, text } });
  if (!networks[node]) return fault(`${node} does not run`);
  const range = to.node.podCidrs.find((cidr) => holds(cidr, to.address)) ?? to.address;
  if (!route) return fault(`no route on ${node} to ${range}`);
  const owner = nodes.find(({ addresses }) => addresses.includes(route.via));
  // A node that does not own the pod masquerades what it passes on, or drops the second packet of a connection.
  const passesOn = owner?.cluster === to.node.cluster && CNIS[cniOf(to.node.cluster)].passesOn;
  if (owner?.node !== to.node.node && !passesOn) {
    const whose = owner ? `which is ${owner.node}` : 'which no node has';
    return fault(`next hop stale on ${node}: ${range} goes by way of ${route.via}, ${whose}, not ${to.node.node}`);
  }
  return { hop };
}

function sourceKept(
  { networks, cniOf, peerPools }: Roads,
  from: Pod,
  to: Pod,
): { readonly kept: boolean; readonly chain: string; readonly rule?: ExemptionRule } {
  const cni = CNIS[cniOf(from.node.cluster)];
  const family = familyOf(to.address);
  const exemption = cni.exemption?.(family, from.address, to.address);
  if (!exemption) {
    const kept = peerPools(from.node.cluster).some((range) => holds(range, to.address));
    return { kept, chain: cni.masquerades };
  }
  const { chain } = exemption;
  const network = networks[from.node.node];
  const rule = network?.rules.find(
    (one) => one.family === family && one.chain === chain && one.effective && matches(one.args, from, to),
  );
  const masquerades = network?.masquerading.some((one) => one.family === family && one.chain === cni.masquerades);
  return { kept: rule !== undefined || !masquerades, chain: cni.masquerades, ...(rule && { rule }) };
}

/** Whether a rule is about these two addresses and nothing else. */
function matches(args: readonly string[], from: Pod, to: Pod): boolean {
  const jump = args.indexOf('-j');
  for (let at = 0; at < jump; at += 2) {
    const [flag, range = ''] = args.slice(at, at + 2);
    if (flag !== '-s' && flag !== '-d') return false;
    if (!holds(range, flag === '-s' ? from.address : to.address)) return false;
  }
  return jump > 0;
}
