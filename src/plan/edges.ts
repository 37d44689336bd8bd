import type { Desired, DesiredCluster } from '../lab/desired.ts';
import { familiesOf } from '../lab/families.ts';
import type { LinkState } from '../lab/linkerd.ts';
import type { DesiredLink } from '../lab/mesh.ts';
import type { NodeContainer, Observed } from '../lab/observed.ts';
import type { Family } from '../net/address.ts';
import type { MeshMember } from './mesh-members.ts';

/** A direction that should be, whoever asked for it. */
export interface Edge extends DesiredLink {
  readonly byHand: boolean;
}

/** The edges of the specs, and those that a hand made earlier and that still are. */
export function wantedEdges(desired: Desired, members: readonly MeshMember[]): Edge[] {
  const declared = desired.links.map((link) => ({ ...link, byHand: false }));
  const isKnown = (name: string) => members.some(({ cluster }) => cluster.name === name);
  const byHand = members.flatMap(({ cluster: { name: from }, state }) =>
    linksOf(state, desired.lab.uid).flatMap(({ to, record }): Edge[] =>
      record?.byHand && isKnown(to) ? [{ from, to, mode: record.mode, why: 'made by hand', byHand: true }] : [],
    ),
  );
  const said = new Set(declared.map(({ from, to }) => `${from} ${to}`));
  return [...declared, ...byHand.filter(({ from, to }) => !said.has(`${from} ${to}`))];
}

/** The links of a cluster that this lab made. */
export const linksOf = (state: MeshMember['state'], uid: string): readonly LinkState[] =>
  state?.extension.links.filter(({ record }) => record?.uid === uid) ?? [];

/**
 * The family in which pods of `from` reach the API server of `to`: kubeadm's certificate holds the address of the
 * cluster's first family by itself. Undefined where they share none.
 */
export function apiFamily(from: DesiredCluster, to: DesiredCluster): Family | undefined {
  const reachable = familiesOf(from.spec);
  return familiesOf(to.spec).find((family) => reachable.includes(family));
}

/**
 * The address of a cluster's API server on the network of the lab, or for one that is elsewhere as the world knows it;
 * undefined while the cluster does not run.
 */
export function apiServerOf({ network }: Desired, { running }: MeshMember, family: Family): string | undefined {
  const server = running?.nodes.find(({ role }) => role === 'server');
  const address = server && addressOn(server, network.name, family);
  if (address) return `https://${family === 6 ? `[${address}]` : address}:6443`;
  const known = running?.existing && running.credentials?.server;
  return known && !LOOPBACK.test(known) ? known : undefined;
}

const LOOPBACK = /^https?:\/\/(localhost|127\.|\[::1\]|0\.0\.0\.0)/;

/** Why no cluster of the lab can be told where the API server of another is; undefined when it can. */
export function unreachableApi(desired: Desired, from: MeshMember, to: MeshMember): string | undefined {
  const isHere = ({ running }: MeshMember) =>
    running?.nodes.some(({ networks }) => networks[desired.network.name]?.length);
  if (from.running?.existing && !isHere(from) && (!to.running?.existing || isHere(to)))
    return `the API server of ${to.cluster.name} is on this machine, where ${from.cluster.name} is not`;
  const server = to.running?.credentials?.server ?? '';
  return to.running?.existing && !isHere(to) && LOOPBACK.test(server)
    ? `the API server of ${to.cluster.name} is known as ${server} only, which is another machine for every cluster`
    : undefined;
}

const addressOn = ({ networks }: NodeContainer, network: string, family: Family): string | undefined =>
  networks[network]?.find((address) => address.includes(':') === (family === 6));

/** Why a link has to be made, or made anew; undefined when it is as it should be. */
export function diffLink(edge: Edge, link: LinkState | undefined, to: MeshMember, server: string): string | undefined {
  if (!link) return 'it does not exist';
  if (!link.record) return 'it is not finished, or not made by lab';
  if (link.record.mode !== edge.mode) return `${link.record.mode} → ${edge.mode}`;
  if (link.server !== server) return `the API server of ${edge.to} moved: ${link.server} → ${server}`;
  if (link.ca !== to.running?.credentials?.ca) return `${edge.to} was made anew`;
  if (link.version !== to.version) return `${link.version} → ${to.version}`;
  const addresses = to.state?.extension.gateway ?? [];
  if (edge.mode === 'gateway' && [...link.gateway].sort().join() !== [...addresses].sort().join())
    return `the gateway of ${edge.to} moved: ${link.gateway.join(', ')} → ${addresses.join(', ')}`;
  return undefined;
}

/** Whether there is no such cluster: what is linked to it is stale. */
export const isGone = (name: string, { clusters }: Observed): boolean => !clusters.some((one) => one.name === name);
