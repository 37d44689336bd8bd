import type { RunStep } from '../step/step.ts';
import { routeDelete, routeReplace } from '../tools/ip-route.ts';
import { ruleDelete, ruleInsert } from '../tools/iptables.ts';
import type { RoutingChange } from './diff-routing.ts';

/** Everything that one node needs, in one process. */
export function routingStep(change: RoutingChange, needs: readonly string[] = []): RunStep {
  const { cluster, node } = change;
  // A rule that stands too late in its chain is removed before it is put at the head.
  const lines = [
    ...change.removeRoutes.map(routeDelete),
    ...change.addRoutes.map(routeReplace),
    ...change.removeRules.map(ruleDelete),
    ...change.addRules.map(ruleInsert),
  ];
  return {
    kind: 'run',
    light: true,
    id: `${cluster}/routing/${node}`,
    title: `route on ${node} (${change.why})`,
    clusters: [cluster],
    needs,
    timeout: 60,
    argv: ['docker', 'exec', '-i', node, 'sh', '-e'],
    stdin: `${lines.join('\n')}\n`,
    // The chain of the pod network is there only once its agent has run.
    retry: { on: ['No chain/target/match'], every: 2, for: 60 },
  };
}
