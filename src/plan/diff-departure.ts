import type { Observed, ObservedCluster } from '../lab/observed.ts';
import { takesPart } from '../lab/ownership.ts';
import { bitsOf, parseAddress } from '../net/address.ts';
import { blockAround, type Cidr, contains, parseCidr, readCidr } from '../net/cidr.ts';
import type { RoutingChange } from './diff-routing.ts';

/**
 * What clusters that go leave on the nodes of those that stay: our routes and exemptions towards them. When the pod
 * ranges of all that stay are known, whatever leads to none of them goes too, so that a second delete finds what a
 * killed one, or a hand that removed the cluster, left behind. `leaving` clusters stay, but not in the lab.
 */
export function diffDeparture(
  observed: Observed,
  uid: string,
  doomed: readonly ObservedCluster[],
  leaving: readonly ObservedCluster[] = [],
): RoutingChange[] {
  const going = [...doomed, ...leaving];
  const staying = observed.clusters.filter((cluster) => takesPart(cluster, uid) && !going.includes(cluster));
  const known = staying.every(({ ranges }) => ranges);
  const leadsAway = (text: string | undefined): boolean => {
    const destination = toCidr(text);
    if (!destination) return false;
    return known ? !isWithin(destination, staying) : isWithin(destination, going);
  };
  // One that was there before the lab keeps nothing of it.
  return [...staying, ...leaving].flatMap(({ name, nodes, existing }) =>
    nodes.flatMap(({ name: node }): RoutingChange[] => {
      const network = observed.nodeNetworks?.[node];
      const leaves = existing !== undefined && leaving.some((one) => one.name === name);
      const goes = (destination: string | undefined) => leaves || leadsAway(destination);
      const removeRoutes = network?.routes.filter(({ ours, destination }) => ours && goes(destination)) ?? [];
      const removeRules = network?.rules.filter(({ ours, args }) => ours && goes(destinationOf(args))) ?? [];
      if (removeRoutes.length + removeRules.length === 0) return [];
      const why = `routes to take away: ${removeRoutes.length}, exemptions: ${removeRules.length}`;
      return [{ kind: 'routing', cluster: name, node, addRoutes: [], removeRoutes, addRules: [], removeRules, why }];
    }),
  );
}

const destinationOf = (args: readonly string[]): string | undefined =>
  args.includes('-d') ? args[args.indexOf('-d') + 1] : undefined;

/** A destination as a tool prints it: `ip route` shows a single address without a prefix. */
function toCidr(text: string | undefined): Cidr | undefined {
  const address = parseAddress(text ?? '');
  if (address) return blockAround(address, bitsOf(address.family));
  const read = readCidr(text ?? '');
  return 'cidr' in read ? read.cidr : undefined;
}

const isWithin = (destination: Cidr, clusters: readonly ObservedCluster[]): boolean =>
  clusters.some(({ ranges }) => ranges?.pods.some((pods) => contains(parseCidr(pods), destination)));
