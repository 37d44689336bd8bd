import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Observed } from '../lab/observed.ts';
import type { Plan, Step } from '../step/step.ts';
import type { Change } from './change.ts';
import { diffRouting } from './diff-routing.ts';
import { missingForMesh } from './mesh-members.ts';
import type { After } from './mesh-work.ts';
import { diffPeerPools, poolSteps } from './peer-pools.ts';
import { planApps } from './plan-apps.ts';
import { planCreate } from './plan-create.ts';
import { lateRoutes } from './plan-late-routes.ts';
import { planMesh } from './plan-mesh.ts';
import { withPeers } from './plan-routing.ts';
import { workloadPulls, workloadSteps, workloadWarnings } from './plan-workloads.ts';
import { workloadsOf } from './resolve-workloads.ts';
import { routable } from './routable.ts';
import { routingStep } from './routing-step.ts';
import { clustersToAwait, clustersToMake, clustersToRouteLater, leftForLater } from './summary.ts';
import { afterPulls } from './workload-steps.ts';

/**
 * Everything that the specs ask for of the named clusters, one graph: a step waits for the steps that it builds upon
 * and for nothing else, so that a cluster gets Linkerd while others still boot, and an edge is made as soon as both its
 * ends can. Clusters that have to start or to join first take part in a later plan, once they answer.
 */
export function planUp(
  desired: Desired,
  observed: Observed,
  changes: readonly Change[],
  names: readonly string[],
): Plan {
  const created = planCreate(desired, observed, changes, names);
  const later = clustersToAwait(changes);
  const making = clustersToMake(changes);
  const settled = withPeers(desired, names).filter(
    (name) => routable(desired, observed).includes(name) && !making.includes(name) && !later.includes(name),
  );
  const ready = afterSteps(created.steps, [...making, ...settled], ['nodes', 'images', 'certificate']);
  const routes = planRoutes({
    ...{ desired, observed, settled, ready },
    making: making.filter((name) => !clustersToRouteLater(desired, changes).includes(name)),
  });
  // Those beside a cluster that is made first come later, but whether they can be had shows now.
  const unmade = workloadsOf(
    desired,
    making.filter((name) => !routable(desired, observed).includes(name)),
  );
  const beside = [...workloadPulls(desired, observed, unmade), ...workloadSteps(desired, observed, names)];
  const mesh = planMesh(desired, observed, {
    names: names.filter((name) => !later.includes(name)),
    install: true,
    link: true,
    answers: ready,
    balances: afterSteps(created.steps, [...making, ...settled], ['pool']),
    later,
    lenient: true,
  });
  const apps = planApps(desired, observed, {
    names: names.filter((name) => !later.includes(name)),
    making,
    after: joinAfter(names, [ready, mesh.controlPlanes]),
  });
  const assumed = missingForMesh(desired, observed, names).map(({ what }) => `${what}; planned all the same`);
  return {
    ...created,
    verb: 'up',
    summary: [created.summary, summarise(routes, mesh.steps, apps.steps, beside)]
      .filter((text) => text !== '')
      .join(' '),
    warnings: [
      ...created.warnings,
      ...assumed,
      ...leftForLater(desired, changes),
      ...mesh.warnings,
      ...apps.warnings,
      ...workloadWarnings(desired, observed, names),
    ],
    // What comes first is started first where there is not room for all: the clusters take the longest.
    steps: afterPulls([...created.steps, ...routes, ...mesh.steps, ...apps.steps, ...beside]),
  };
}

/** For each cluster the steps of these names that it has in a plan; nothing for a cluster that has none. */
function afterSteps(steps: readonly Step[], clusters: readonly string[], names: readonly string[]): After {
  const prefixes = (cluster: string) => names.map((name) => `${cluster}/${name}`);
  const found = clusters.map((cluster) => {
    const isOne = (id: string) => prefixes(cluster).some((prefix) => id === prefix || id.startsWith(`${prefix}/`));
    return [cluster, steps.map(({ id }) => id).filter(isOne)] as const;
  });
  return new Map(found.filter(([, ids]) => ids.length > 0));
}

/** For each cluster what any of these say that it waits for; nothing for a cluster that need not wait. */
function joinAfter(names: readonly string[], all: readonly After[]): After {
  const joined = names.map((name) => [name, all.flatMap((after) => after.get(name) ?? [])] as const);
  return new Map(joined.filter(([, ids]) => ids.length > 0));
}

interface Routing {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly making: readonly string[];
  readonly settled: readonly string[];
  readonly ready: After;
}

function planRoutes({ desired, observed, making, settled, ready }: Routing): Step[] {
  const now = diffRouting(desired, observed, settled).map((change) => ({ change, step: routingStep(change) }));
  const changing = new Map(now.map(({ change, step }) => [change.node, step.id]));
  const pools = diffPeerPools(desired, observed, settled).flatMap(poolSteps);
  return [...now.map(({ step }) => step), ...pools, ...lateRoutes({ desired, making, settled, ready, changing })];
}

/** What comes after the clusters, as a sentence. */
function summarise(
  routes: readonly Step[],
  mesh: readonly Step[],
  apps: readonly Step[],
  workloads: readonly Step[],
): string {
  const routed = new Set(
    routes.flatMap((step) => (step.kind === 'run' && step.argv[0] === 'docker' ? [step.argv[3]] : [])),
  );
  const ending = (pattern: RegExp) => mesh.filter(({ id }) => pattern.test(id)).length;
  const applied = new Set(apps.flatMap(({ id }) => /^[^/]+\/app\/[^/]+/.exec(id) ?? []));
  const parts = [
    [routed.size, 'node', 'to route'],
    [ending(/^[^/]+\/linkerd$/), 'cluster', 'to get Linkerd'],
    [ending(/^[^/]+\/link\/[^/]+$/), 'link', 'to make'],
    [ending(/^[^/]+\/unlink\/[^/]+$/), 'link', 'to take away'],
    [applied.size, 'app', 'to apply or take away'],
    [workloads.length, 'step', 'for workloads'],
  ] as const;
  const said = parts.filter(([count]) => count > 0).map(([count, noun, what]) => `${formatCount(count, noun)} ${what}`);
  return said.length > 0 ? `Then: ${said.join(', ')}.` : '';
}
