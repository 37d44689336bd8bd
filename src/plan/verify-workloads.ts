import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { ProbeTarget } from '../lab/reach.ts';
import { workloadsOf } from './resolve-workloads.ts';
import { addressIn, type Question } from './verify-cells.ts';
import { workloadState } from './workload-state.ts';

interface Input {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly names: readonly string[];
  readonly targets: readonly ProbeTarget[];
}

/** Every workload from a pod on every node of its cluster, in each family that both have. */
export function workloadQuestions({ desired, observed, names, targets }: Input): Question[] {
  return workloadsOf(desired, names).flatMap((workload) => {
    const { container } = workloadState(desired, observed, workload);
    const port = workload.spec.ports.find(({ protocol }) => protocol === 'TCP')?.port;
    const target = targets.find(({ cluster, problem }) => cluster === workload.cluster && !problem);
    if (!target || port === undefined) return [];
    return workload.addresses.flatMap(({ address, family }) =>
      target.pods.flatMap((pod): Question[] => {
        const own = addressIn(pod.addresses, family);
        if (!own) return [];
        const base = {
          kind: 'workload' as const,
          from: { cluster: pod.cluster, node: pod.node },
          to: { cluster: workload.cluster, name: `${workload.name} ${address}` },
          family,
          repair: ['workloads', workload.cluster],
        };
        if (container !== 'running') return [{ ...base, problem: `the container of ${workload.name} is ${container}` }];
        // It leaves its node; what answers is not asked what it saw.
        const probe = { id: 0, node: pod.node, pod: own, address, port, arrivesOn: [pod.node], sources: [own] };
        return [{ ...base, probe }];
      }),
    );
  });
}
