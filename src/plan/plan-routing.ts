import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Observed } from '../lab/observed.ts';
import type { Plan } from '../step/step.ts';
import { diffRouting } from './diff-routing.ts';
import { diffPeerPools, poolSteps } from './peer-pools.ts';
import { planLinks } from './plan-mesh-verbs.ts';
import { routable } from './routable.ts';
import { routingStep } from './routing-step.ts';
import { verbPlan } from './verb-plan.ts';

/** The named clusters and the other members of their groups. */
export function withPeers(desired: Desired, names: readonly string[]): string[] {
  const groups = new Set(desired.clusters.filter(({ name }) => names.includes(name)).map(({ spec }) => spec.group));
  return desired.clusters
    .filter(({ name, spec }) => names.includes(name) || (spec.group !== undefined && groups.has(spec.group)))
    .map(({ name }) => name);
}

/**
 * Routes and exemptions between the named clusters and the rest of their groups. Only clusters that run take part:
 * what is routed to them elsewhere is taken away as stale.
 */
export function planRoute(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const up = routable(desired, observed);
  const affected = withPeers(desired, names).filter((name) => up.includes(name));
  const nodes = diffRouting(desired, observed, affected).map((change) => routingStep(change));
  const steps = [...nodes, ...diffPeerPools(desired, observed, affected).flatMap(poolSteps)];
  const grouped = desired.clusters.filter(({ name, spec }) => names.includes(name) && spec.group !== undefined);
  const away = grouped
    .filter(({ name, spec }) => !up.includes(name) && (!spec.access || !hasJoined(observed, name)))
    .map(({ name, spec }) => `${name} ${spec.access ? notJoined(desired, name) : 'does not run'}: it is not routed`);
  return verbPlan(
    'route',
    desired,
    steps,
    `Plan: ${nodes.length} of ${formatCount(nodeCount(observed, affected), 'node')} to change.`,
    away,
  );
}

/** Whether a cluster that was there before is in the lab. */
export const hasJoined = ({ clusters }: Observed, name: string): boolean =>
  clusters.some((one) => one.name === name && one.existing !== undefined && one.credentials !== undefined);

const notJoined = ({ lab }: Desired, name: string): string => `has not joined yet (lab create ${lab.dir} ${name})`;

/** Routes, and then the links that use them: no link needs a route to be made. */
export function planGroup(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const routes = planRoute(desired, observed, names);
  const links = planLinks(desired, observed, names);
  const steps = [...routes.steps, ...links.steps];
  const said = [...routes.warnings, ...links.warnings].filter((text) => !desired.warnings.includes(text));
  return verbPlan('group', desired, steps, `${routes.summary} ${links.summary}`, [...new Set(said)]);
}

const nodeCount = (observed: Observed, names: readonly string[]): number =>
  observed.clusters.filter(({ name }) => names.includes(name)).reduce((sum, { nodes }) => sum + nodes.length, 0);
