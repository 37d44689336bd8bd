/** `lab stop` and `lab start`. */
import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Observed } from '../lab/observed.ts';
import type { Plan, RunStep } from '../step/step.ts';
import { nodesStep } from './cluster-steps.ts';
import { verbPlan } from './verb-plan.ts';

/** Stops every node of the named clusters; data stays. */
export function planStop(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const steps = powerSteps('stop', desired, observed, names, true);
  return verbPlan(
    'stop',
    desired,
    steps,
    `Plan: ${formatCount(steps.length, 'cluster')} to stop.`,
    leftAlone(desired, names),
  );
}

/** Starts stopped nodes and waits for them; what they lost is repaired afterwards, when their addresses are known. */
export function planStart(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const steps = powerSteps('start', desired, observed, names, false);
  const waits = steps.flatMap((step) => {
    const cluster = desired.clusters.find(({ name }) => step.clusters.includes(name));
    return cluster ? [nodesStep(cluster, [step.id], observed)] : [];
  });
  const summary = `Plan: ${formatCount(steps.length, 'cluster')} to start, and to repair then.`;
  return verbPlan('start', desired, [...steps, ...waits], summary, leftAlone(desired, names));
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
