import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { Plan, RunStep, Step } from '../step/step.ts';
import { nodesStep } from './cluster-steps.ts';
import { diffForRepair } from './diff.ts';
import { diffRouting } from './diff-routing.ts';
import { diffPeerPools, poolSteps } from './peer-pools.ts';
import { planCreate } from './plan-create.ts';
import { planRelink } from './plan-mesh.ts';
import { planLinks } from './plan-mesh-verbs.ts';
import { workloadSteps, workloadWarnings } from './plan-workloads.ts';
import { routable } from './routable.ts';
import { routingStep } from './routing-step.ts';

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
    .filter(({ name, spec }) => !up.includes(name) && (!spec.access || !joined(observed, name)))
    .map(({ name, spec }) => `${name} ${spec.access ? notJoined(desired, name) : 'does not run'}: it is not routed`);
  return plan(
    'route',
    desired,
    steps,
    `Plan: ${nodes.length} of ${nodeCount(observed, affected)} nodes to change.`,
    away,
  );
}

const joined = ({ clusters }: Observed, name: string): boolean =>
  clusters.some((one) => one.name === name && one.existing !== undefined && one.credentials !== undefined);

const notJoined = ({ lab }: Desired, name: string): string => `has not joined yet (lab create ${lab.dir} ${name})`;

/** Everything that a restart or a hand took away from clusters that run; their routing once all of them answer. */
export function planRepair(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const up = routable(desired, observed);
  const isTroubled = (name: string) => observed.clusters.some((one) => one.name === name && one.existing?.problem);
  const present = names.filter((name) => (up.includes(name) || joined(observed, name)) && !isTroubled(name));
  const { changes, warnings } = diffForRepair(desired, observed, present);
  const repaired = planCreate(desired, observed, changes, present);
  const affected = withPeers(desired, names).filter((name) => up.includes(name));
  // While an API server is away its pod ranges are not known: routing is for the round after.
  const settled = !repaired.steps.some(({ kind }) => kind === 'wait');
  const routing = settled
    ? [
        ...diffRouting(desired, observed, affected).map((change) => routingStep(change)),
        ...diffPeerPools(desired, observed, affected).flatMap(poolSteps),
        ...workloadSteps(desired, observed, names),
      ]
    : [];
  const links = settled ? planRelink(desired, observed, names) : { steps: [], warnings: [] };
  const steps = [...repaired.steps, ...routing, ...links.steps];
  const summary = `Plan: ${steps.length === 0 ? 'nothing' : `${steps.length} steps`} to repair.`;
  const said = settled ? workloadWarnings(desired, observed, names) : [];
  return plan('repair', desired, steps, summary, [...warnings, ...links.warnings, ...said]);
}

/** Routes, and then the links that use them: no link needs a route to be made. */
export function planGroup(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const routes = planRoute(desired, observed, names);
  const links = planLinks(desired, observed, names);
  const steps = [...routes.steps, ...links.steps];
  const said = [...routes.warnings, ...links.warnings].filter((text) => !desired.warnings.includes(text));
  return plan('group', desired, steps, `${routes.summary} ${links.summary}`, [...new Set(said)]);
}

/** Stops every node of the named clusters; data stays. */
export function planStop(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const steps = powerSteps('stop', desired, observed, names, true);
  return plan('stop', desired, steps, `Plan: ${steps.length} clusters to stop.`, leftAlone(desired, names));
}

/** Starts stopped nodes and waits for them; what they lost is repaired afterwards, when their addresses are known. */
export function planStart(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const steps = powerSteps('start', desired, observed, names, false);
  const waits = steps.flatMap((step) => {
    const cluster = desired.clusters.find(({ name }) => step.clusters.includes(name));
    return cluster ? [nodesStep(cluster, [step.id], observed)] : [];
  });
  const summary = `Plan: ${steps.length} clusters to start, and to repair then.`;
  return plan('start', desired, [...steps, ...waits], summary, leftAlone(desired, names));
}

const leftAlone = ({ clusters }: Desired, names: readonly string[]): string[] =>
  clusters
    .filter(({ name, spec }) => names.includes(name) && spec.access)
    .map(({ name }) => `${name} was there before this lab: it is neither stopped nor started`);

function powerSteps(
  verb: 'stop' | 'start',
  desired: Desired,
  observed: Observed,
  names: readonly string[],
  running: boolean,
): RunStep[] {
  return observed.clusters
    .filter(({ name, owner }) => owner === desired.lab.uid && names.includes(name))
    .flatMap(({ name, nodes }) => {
      // What is beside a cluster goes with it; the repair after a start brings it back.
      const beside = verb === 'stop' ? runningWorkloads(desired, observed, name) : [];
      const affected = [...nodes.filter((node) => node.running === running).map((node) => node.name), ...beside];
      if (affected.length === 0) return [];
      return [
        {
          kind: 'run',
          id: `${name}/${verb}`,
          title: `${verb} ${affected.length === 1 ? 'the node' : `${affected.length} nodes`}`,
          clusters: [name],
          needs: [],
          timeout: 120,
          argv: ['docker', verb, ...affected],
        } satisfies RunStep,
      ];
    });
}

const runningWorkloads = ({ lab }: Desired, { workloads = [] }: Observed, cluster: string): string[] =>
  workloads
    .filter((one) => one.cluster === cluster && one.owner === lab.uid && one.running)
    .flatMap(({ name, sidecars }) => [...sidecars, name]);

const nodeCount = (observed: Observed, names: readonly string[]): number =>
  observed.clusters.filter(({ name }) => names.includes(name)).reduce((sum, { nodes }) => sum + nodes.length, 0);

const plan = (
  verb: string,
  { lab, warnings }: Desired,
  steps: readonly Step[],
  summary: string,
  more: readonly string[] = [],
): Plan => ({
  version: 1,
  lab: { name: lab.name, uid: lab.uid },
  verb,
  summary,
  warnings: [...warnings, ...more],
  steps,
});
