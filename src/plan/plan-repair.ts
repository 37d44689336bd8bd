import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Observed } from '../lab/observed.ts';
import type { Plan } from '../step/step.ts';
import { diffForRepair } from './diff.ts';
import { diffRouting } from './diff-routing.ts';
import { diffPeerPools, poolSteps } from './peer-pools.ts';
import { planCreate } from './plan-create.ts';
import { planRelink } from './plan-mesh.ts';
import { hasJoined, withPeers } from './plan-routing.ts';
import { workloadSteps, workloadWarnings } from './plan-workloads.ts';
import { routable } from './routable.ts';
import { routingStep } from './routing-step.ts';
import { verbPlan } from './verb-plan.ts';

/** Everything that a restart or a hand took away from clusters that run; their routing once all of them answer. */
export function planRepair(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const up = routable(desired, observed);
  const isTroubled = (name: string) => observed.clusters.some((one) => one.name === name && one.existing?.problem);
  const present = names.filter((name) => (up.includes(name) || hasJoined(observed, name)) && !isTroubled(name));
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
  const summary = `Plan: ${steps.length === 0 ? 'nothing' : formatCount(steps.length, 'step')} to repair.`;
  const said = settled ? workloadWarnings(desired, observed, names) : [];
  return verbPlan('repair', desired, steps, summary, [...warnings, ...links.warnings, ...said]);
}
