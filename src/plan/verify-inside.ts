import { cniOf } from '../cni/index.ts';
import type { Desired } from '../lab/desired.ts';
import { familiesOf } from '../lab/families.ts';
import type { ProbePod, ProbeTarget } from '../lab/reach.ts';
import type { Family } from '../net/address.ts';
import { PROBE_PORT } from '../tools/kube-api.ts';
import { addressIn, type Question } from './verify-cells.ts';

interface Input {
  readonly desired: Desired;
  readonly names: readonly string[];
  readonly targets: readonly ProbeTarget[];
}

/**
 * Of clusters whose pod network `lab` put there: that a pod on every node has an address of each family, reaches a pod
 * on every other node, and reaches a service, in each family.
 */
export function insideQuestions({ desired, names, targets }: Input): Question[] {
  return desired.clusters
    .filter((cluster) => names.includes(cluster.name) && cniOf(cluster)?.install)
    .flatMap(({ name, spec }) => {
      const target = targets.find(({ cluster, problem }) => cluster === name && !problem);
      if (!target) return [];
      const { pods, services = [] } = target;
      return familiesOf(spec).flatMap((family) =>
        pods.flatMap((pod) => [
          ...pods.filter((other) => other !== pod).map((other) => ask(pod, other, family)),
          ...askService(pod, addressIn(services, family), family),
          ...(pods.length === 1 && !addressIn(pod.addresses, family) ? [ask(pod, pod, family)] : []),
        ]),
      );
    });
}

/** The text of the workshop pings; that nobody listens at a port is as good an answer, and needs no program. */
function ask(from: ProbePod, to: ProbePod, family: Family): Question {
  const [pod, address] = [addressIn(from.addresses, family), addressIn(to.addresses, family)];
  const base = baseOf(from, to.node, family);
  const lacking = pod ? to.node : from.node;
  if (!pod || !address) return { ...base, problem: `the pod on ${lacking} has no IPv${family} address` };
  return { ...base, probe: { id: 0, node: from.node, pod, address, port: 0, arrivesOn: [to.node] } };
}

/** A packet to a service that leads nowhere is rejected before its node takes note of it. */
function askService(from: ProbePod, address: string | undefined, family: Family): Question[] {
  const pod = addressIn(from.addresses, family);
  if (!address || !pod) return [];
  const arrivesOn = [from.node];
  const probe = { id: 0, node: from.node, pod, address, port: PROBE_PORT, arrivesOn, sources: [pod], tries: 5 };
  return [{ ...baseOf(from, `service ${address}`, family), probe }];
}

const baseOf = (from: ProbePod, name: string, family: Family) => ({
  kind: 'inside' as const,
  from: { cluster: from.cluster, node: from.node },
  to: { cluster: from.cluster, name },
  family,
  repair: ['status', from.cluster],
});
