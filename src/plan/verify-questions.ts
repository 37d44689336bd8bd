import type { Desired, DesiredCluster } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import { isSettled } from '../lab/ownership.ts';
import { HOST, type ProbeTarget } from '../lab/reach.ts';
import type { PlacedNode } from '../lab/routing.ts';
import { FAMILIES, type Family } from '../net/address.ts';
import { holds } from '../net/route-table.ts';
import { PROBE_PORT } from '../tools/kube-api.ts';
import { groupsOf } from './resolve-routes.ts';
import { pairs } from './simulate.ts';
import { addressIn, type Question } from './verify-cells.ts';
import { insideQuestions } from './verify-inside.ts';
import { workloadQuestions } from './verify-workloads.ts';

/** The first of the ports at which nobody listens: each request has one of its own, by which it is known on arrival. */
const FIRST_PORT = 20_000;
const PORTS = 40_000;
/** A new address takes MetalLB and kube-proxy about two seconds. */
const POOL_TRIES = 5;

interface Input {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly names: readonly string[];
  readonly targets: readonly ProbeTarget[];
}

/** All that `lab verify` asks: pods of every node of every group, every pool from everywhere, names. */
export const questionsOf = (input: Input): Question[] =>
  numbered([
    ...podQuestions(input),
    ...insideQuestions(input),
    ...workloadQuestions(input),
    ...poolQuestions(input),
    ...dnsQuestions(input),
  ]);

/** Ids come last, so that each request has a port of its own. */
function numbered(questions: readonly Question[]): Question[] {
  return questions.map((question, id) => ({
    ...question,
    ...(question.probe && {
      probe: { ...question.probe, id, port: question.probe.port || FIRST_PORT + (id % PORTS) },
    }),
    ...(question.lookup && { lookup: { ...question.lookup, id } }),
  }));
}

const podOn = (targets: readonly ProbeTarget[], node: PlacedNode, family: Family): string | undefined =>
  addressIn(targets.flatMap(({ pods }) => pods).find((pod) => pod.node === node.node)?.addresses ?? [], family);

function podQuestions({ desired, observed, names, targets }: Input): Question[] {
  return pairs(desired, names).map(({ from, to, family }) => {
    const question = {
      kind: 'pod' as const,
      from: { cluster: from.cluster, node: from.node },
      to: { cluster: to.cluster, name: to.node },
      family,
      repair: ['route', from.cluster],
    };
    const [one, other] = [podOn(targets, from, family), podOn(targets, to, family)];
    const lacking = one === undefined ? from : to;
    if (!one || !other) {
      const absent = absence(lacking, desired, observed, targets);
      // Who names two of a group that is not all there asks for these two.
      const known = !exists(lacking.cluster, desired, observed) && !names.includes(lacking.cluster);
      return { ...question, ...absent, ...(known && absent.problem && { known: absent.problem }) };
    }
    return {
      ...question,
      pods: { from: { node: from, address: one }, to: { node: to, address: other } },
      probe: { id: 0, node: from.node, pod: one, address: other, port: 0, arrivesOn: [to.node] },
    };
  });
}

const exists = (cluster: string, { lab }: Desired, { clusters }: Observed): boolean =>
  clusters.some((one) => one.name === cluster && isSettled(one, lab.uid));

/** Why a node has no pod to ask or to be asked, and what to type. */
function absence(
  { cluster, node }: PlacedNode,
  { lab }: Desired,
  { clusters }: Observed,
  targets: readonly ProbeTarget[],
): Pick<Question, 'problem' | 'repair'> {
  const existing = clusters.find(({ name }) => name === cluster);
  if (!existing || !isSettled(existing, lab.uid))
    return { problem: `${cluster} does not exist`, repair: ['create', cluster] };
  if (existing.nodes.some(({ running }) => !running))
    return { problem: `${cluster} does not run`, repair: ['start', cluster] };
  const problem = targets.find((target) => target.cluster === cluster)?.problem;
  return { problem: problem ?? `${node} has no pod to measure with`, repair: ['repair', cluster] };
}

/** Every pool from a pod of every other cluster with that family, in whatever group, and from this machine. */
function poolQuestions({ desired, observed, names, targets }: Input): Question[] {
  if (desired.loadBalancer.addon === 'none') return [];
  const measured = desired.clusters.filter(({ name }) =>
    targets.some(({ cluster, problem }) => cluster === name && !problem),
  );
  return measured.flatMap((to) =>
    to.loadBalancer.flatMap(({ family, range }): Question[] => {
      const address = addressIn(targets.find(({ cluster }) => cluster === to.name)?.pool ?? [], family);
      const arrivesOn = desired.nodes.filter(({ cluster }) => cluster === to.name).map(({ node }) => node);
      const base = {
        kind: 'pool' as const,
        to: { cluster: to.name, name: address ?? range },
        family,
        repair: ['repair', to.name],
        ...poolProblem(desired, to, address),
      };
      const ask = (node: string, pod: string, sources?: readonly string[]) =>
        address
          ? {
              probe: {
                id: 0,
                node,
                pod,
                address,
                port: PROBE_PORT,
                arrivesOn,
                tries: POOL_TRIES,
                ...(sources && { sources }),
              },
            }
          : {};
      const host: Question = {
        ...base,
        from: { cluster: '', node: HOST },
        ...(observed.engine?.local === false && {
          known: 'the engine is not on this machine: its network is not either',
        }),
        ...ask(
          HOST,
          '',
          desired.network.subnets.map(({ gateway }) => gateway),
        ),
      };
      const others = measured.filter(
        ({ name }) => name !== to.name && (names.includes(name) || names.includes(to.name)),
      );
      return [
        ...others.flatMap((from): Question[] => {
          const node = desired.nodes.find(({ cluster }) => cluster === from.name);
          const pod = node && podOn(targets, node, family);
          if (!node || !pod) return [];
          const sources = [pod, ...node.addresses];
          return [{ ...base, from: { cluster: from.name, node: node.node }, ...ask(node.node, pod, sources) }];
        }),
        ...(names.includes(to.name) ? [host] : []),
      ];
    }),
  );
}

function poolProblem(
  { network }: Desired,
  { name }: DesiredCluster,
  address: string | undefined,
): Pick<Question, 'problem'> {
  if (!address) return { problem: `${name} got no address of its pool` };
  return network.subnets.some(({ range }) => holds(range, address))
    ? {}
    : {
        problem: `pool outside the network: ${address} is not in ${network.subnets.map(({ range }) => range).join(' or ')}`,
      };
}

/** The cluster's own names from every node; the API servers of the rest of the group from one. */
function dnsQuestions({ desired, names, targets }: Input): Question[] {
  return targets
    .filter(({ cluster, problem }) => names.includes(cluster) && !problem)
    .flatMap(({ cluster, pods, dns }) => {
      const spec = desired.clusters.find(({ name }) => name === cluster);
      const ask = (pod: (typeof pods)[number], to: string, name: string, known?: string): Question[] =>
        dns.slice(0, 1).map((server) => {
          const family = FAMILIES.find((one) => addressIn([server], one)) ?? 4;
          return {
            ...{
              kind: 'dns',
              from: { cluster, node: pod.node },
              to: { cluster: to, name },
              family,
              repair: ['repair', cluster],
            },
            lookup: { id: 0, node: pod.node, pod: pod.addresses[0] ?? '', server, name },
            ...(known && { known }),
          };
        });
      const peers = spec ? (groupsOf(desired.clusters).find((group) => group.includes(spec)) ?? []) : [];
      // Docker's resolver answers at an IPv4 address, which pods without IPv4 cannot reach.
      const known = spec?.spec.ipFamily === 'ipv6' ? 'pods without IPv4 do not resolve names of containers' : undefined;
      return pods.flatMap((pod, index) => [
        ...ask(pod, cluster, `kubernetes.default.svc.${spec?.spec.network.domain ?? 'cluster.local'}`),
        ...(index > 0
          ? []
          : peers
              .filter(
                ({ name }) => name !== cluster && targets.some((target) => target.cluster === name && !target.problem),
              )
              .flatMap((peer) => ask(pod, peer.name, peer.nodes[0]?.name ?? '', known))),
      ]);
    });
}
