import type { Desired, DesiredCluster } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { NodeRouting } from '../lab/routing.ts';
import type { QueryStep, RunStep, Step } from '../step/step.ts';
import { kubectlArgv } from '../tools/kubectl.ts';
import { NODE_SHARES, routeShares } from '../tools/node-shares.ts';
import type { After } from './mesh-work.ts';
import { sharedFamilies } from './resolve-routes.ts';
import { routingStep } from './routing-step.ts';

interface LateRoutes {
  readonly desired: Desired;
  /** Clusters that the same plan makes: where their nodes are, and which pods are whose, is asked of them then. */
  readonly making: readonly string[];
  /** Clusters that run and take part. */
  readonly settled: readonly string[];
  /** Steps after which a cluster that is made is ready. */
  readonly ready: After;
  /** Steps that already change the routing of a node, by node. */
  readonly changing: ReadonlyMap<string, string>;
}

/**
 * Routes and exemptions between clusters that the same plan makes, and between those and the ones that run, each as
 * soon as both ends are ready. What is not known before a cluster exists is read into a capture, which the routes
 * of its peers take in.
 */
export function lateRoutes(input: LateRoutes): Step[] {
  const { desired, making, settled, ready } = input;
  const taking = desired.clusters.filter(({ name }) => making.includes(name) || settled.includes(name));
  const peersOf = (own: DesiredCluster) =>
    taking.filter(
      (peer) =>
        peer !== own &&
        own.spec.group !== undefined &&
        peer.spec.group === own.spec.group &&
        sharedFamilies(own, peer).length > 0,
    );
  const isMade = ({ name }: DesiredCluster) => making.includes(name);
  const shares = taking
    .filter((one) => isMade(one) && peersOf(one).length > 0)
    .map((one) => sharesStep(one.name, ready.get(one.name) ?? []));
  const routes = taking.flatMap((own) => {
    const late = peersOf(own).filter(isMade);
    return desired.routing
      .filter(({ cluster }) => cluster === own.name)
      .flatMap((routing) => {
        const known = isMade(own) ? knownStep(own, routing, input) : [];
        const before = [
          ...(isMade(own) ? (ready.get(own.name) ?? []) : []),
          ...known.map(({ id }) => id),
          // Of a peer that is made anew it takes away what led to the one before.
          ...(input.changing.has(routing.node) ? [input.changing.get(routing.node) ?? ''] : []),
        ];
        return [...known, ...late.map((peer) => lateStep(own, peer, routing, before))];
      });
  });
  return [...shares, ...routes];
}

/** What leads from a node that is made to the clusters that run. */
function knownStep(own: DesiredCluster, routing: NodeRouting, { settled, ready }: LateRoutes): RunStep[] {
  const addRoutes = routing.routes.filter(({ peer, assumed }) => settled.includes(peer) && !assumed);
  const addRules = routing.exemptions.filter(({ peer, assumed }) => settled.includes(peer) && !assumed);
  if (addRoutes.length + addRules.length === 0) return [];
  const why = `${formatCount(addRoutes.length, 'route')} to set, ${formatCount(addRules.length, 'exemption')} to set`;
  const nothing = { removeRoutes: [], removeRules: [] };
  const change = {
    kind: 'routing',
    cluster: own.name,
    node: routing.node,
    addRoutes,
    addRules,
    ...nothing,
    why,
  } as const;
  return [routingStep(change, ready.get(own.name) ?? [])];
}

/** What leads from a node to a cluster that is made. */
function lateStep(own: DesiredCluster, peer: DesiredCluster, routing: NodeRouting, before: readonly string[]): RunStep {
  const rules = routing.exemptions.filter((rule) => rule.peer === peer.name);
  const { id, node } = { id: `${own.name}/routing/${routing.node}/${peer.name}`, node: routing.node };
  return {
    kind: 'run',
    light: true,
    id,
    title: `route on ${node} to ${peer.name}`,
    clusters: [own.name],
    needs: [...before, sharesId(peer.name)],
    timeout: 60,
    argv: ['docker', 'exec', '-i', node, 'sh', '-e', '-c', routeShares(sharedFamilies(own, peer), rules)],
    stdin: { ref: sharesId(peer.name) },
    retry: { on: ['No chain/target/match'], every: 2, for: 60 },
  };
}

const sharesId = (cluster: string): string => `${cluster}/pod-ranges`;

const sharesStep = (cluster: string, needs: readonly string[]): QueryStep => ({
  kind: 'query',
  id: sharesId(cluster),
  title: 'read which pods each node has',
  clusters: [cluster],
  needs,
  timeout: 30,
  argv: kubectlArgv(cluster, ['get', 'nodes', '-o', `jsonpath=${NODE_SHARES}`]),
  capture: sharesId(cluster),
});
