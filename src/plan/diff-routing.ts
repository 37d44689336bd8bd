import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Observed } from '../lab/observed.ts';
import { takesPart } from '../lab/ownership.ts';
import type { ExemptionRule, NodeNetwork, NodeRoute, NodeRouting } from '../lab/routing.ts';

/** What one node lacks, and what it has of ours that nobody wants any more. */
export interface RoutingChange {
  readonly kind: 'routing';
  readonly cluster: string;
  readonly node: string;
  readonly addRoutes: readonly NodeRoute[];
  readonly removeRoutes: readonly NodeRoute[];
  readonly addRules: readonly ExemptionRule[];
  readonly removeRules: readonly ExemptionRule[];
  readonly why: string;
}

const sameRoute = (a: NodeRoute, b: NodeRoute): boolean => a.destination === b.destination && a.via === b.via;

const sameRule = (a: ExemptionRule, b: ExemptionRule): boolean =>
  a.family === b.family && a.chain === b.chain && a.args.join(' ') === b.args.join(' ');

/** The differences of every node whose network was read; nothing for a node that is as it should be. */
export function diffRouting(desired: Desired, observed: Observed, names: readonly string[]): RoutingChange[] {
  const wanted = new Map(desired.routing.map((routing) => [routing.node, routing]));
  return observed.clusters
    .filter((cluster) => names.includes(cluster.name) && takesPart(cluster, desired.lab.uid))
    .flatMap(({ name, nodes }) => nodes.map((node) => [name, node.name] as const))
    .flatMap(([cluster, node]) => {
      const network = observed.nodeNetworks?.[node];
      const routing = wanted.get(node) ?? { cluster, node, routes: [], exemptions: [] };
      return network ? nodeChange(routing, network) : [];
    });
}

function nodeChange({ cluster, node, ...wanted }: NodeRouting, network: NodeNetwork): RoutingChange[] {
  // A cluster that does not run has no address to route to: what was routed to it is stale.
  const routes = wanted.routes.filter(({ assumed }) => !assumed).map(({ destination, via }) => ({ destination, via }));
  const exemptions = wanted.exemptions
    .filter(({ assumed }) => !assumed)
    .map(({ family, chain, args }) => ({ family, chain, args }));
  const addRoutes = routes.filter((route) => !network.routes.some((have) => have.ours && sameRoute(have, route)));
  const destinations = new Set(routes.map(({ destination }) => destination));
  // A route that only has to change its next hop is replaced in one go: nothing is without a route in between.
  const removeRoutes = network.routes.filter(({ ours, destination }) => ours && !destinations.has(destination));
  const inForce = (rule: ExemptionRule) =>
    network.rules.some((have) => have.ours && have.effective && sameRule(have, rule));
  const addRules = exemptions.filter((rule) => !inForce(rule));
  const removeRules = network.rules.filter(
    (have) => have.ours && (!have.effective || !exemptions.some((rule) => sameRule(have, rule))),
  );
  const counts = [
    [addRoutes.length, 'route to set', 'routes to set'],
    [removeRoutes.length, 'stale route', 'stale routes'],
    [addRules.length, 'exemption to set', 'exemptions to set'],
    [removeRules.length, 'stale exemption', 'stale exemptions'],
  ] as const;
  const why = counts
    .filter(([count]) => count > 0)
    .map(([count, one, many]) => formatCount(count, one, many))
    .join(', ');
  return why === '' ? [] : [{ kind: 'routing', cluster, node, addRoutes, removeRoutes, addRules, removeRules, why }];
}

/** How much of a node's routing is there. */
export function routingOnNode(routing: NodeRouting, observed: Observed) {
  const network = observed.nodeNetworks?.[routing.node];
  const want = (list: readonly { readonly assumed: boolean }[]) => list.filter(({ assumed }) => !assumed).length;
  const [change] = network ? nodeChange(routing, network) : [];
  const routes = want(routing.routes);
  const exemptions = want(routing.exemptions);
  return {
    known: network !== undefined,
    routes: { want: routes, have: routes - (change?.addRoutes.length ?? 0) },
    exemptions: { want: exemptions, have: exemptions - (change?.addRules.length ?? 0) },
    stale: (change?.removeRoutes.length ?? 0) + (change?.removeRules.length ?? 0),
  };
}
