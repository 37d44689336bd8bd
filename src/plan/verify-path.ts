import type { Desired } from '../lab/desired.ts';
import type { Path, PathEnd } from '../lab/reach.ts';
import { familyOf } from '../net/address.ts';
import { type Roads, trace } from './trace.ts';
import { addressIn, judge, type Measurements, type Question } from './verify-cells.ts';

/** A port at which nobody listens, for a pod that does not say where it does: that it refuses is an answer, too. */
const NOBODY = 20_000;

/** What to ask for one path: every pod of the target in each family that both ends have, and its load balancer. */
export function pathQuestions(desired: Desired, from: PathEnd, to: PathEnd): Question[] {
  const client = from.pods[0]?.node ?? '';
  const addresses = from.pods.map(({ address }) => address);
  const placed = (node: string) => desired.nodes.find((one) => one.node === node);
  const base = (address: string) => ({
    from: { cluster: from.cluster, node: client },
    to: { cluster: to.cluster, name: address },
    family: familyOf(address),
    repair: ['route', from.cluster],
  });
  const pods = to.pods.flatMap(({ node, address, port = NOBODY }): Question[] => {
    const [own, source, target] = [addressIn(addresses, familyOf(address)), placed(client), placed(node)];
    if (!own || !source || !target) return [];
    const probe = {
      id: 0,
      node: client,
      pod: own,
      address,
      port,
      arrivesOn: [node],
      sources: [own, ...source.addresses],
    };
    const ends = { from: { node: source, address: own }, to: { node: target, address } };
    return [{ ...base(address), kind: 'pod', probe, pods: ends }];
  });
  const arrivesOn = desired.nodes.filter(({ cluster }) => cluster === to.cluster).map(({ node }) => node);
  const pool = to.pool.flatMap(({ address, port }): Question[] => {
    const own = addressIn(addresses, familyOf(address));
    if (!own) return [];
    const sources = [own, ...(placed(client)?.addresses ?? [])];
    return [
      {
        ...base(address),
        kind: 'pool',
        repair: ['repair', to.cluster],
        probe: { id: 0, node: client, pod: own, address, port, arrivesOn, sources },
      },
    ];
  });
  return [...pods, ...pool].map((question, id) => ({
    ...question,
    ...(question.probe && { probe: { ...question.probe, id } }),
  }));
}

/** Each answer with the way that the packets took, as the nodes' routes and rules decide it. */
export function judgePaths(
  desired: Desired,
  questions: readonly Question[],
  measurements: Measurements,
  roads: Roads,
): Path[] {
  return judge(desired, questions, measurements, roads).map((cell, index) => {
    const pods = questions[index]?.pods;
    const way = pods && trace(roads, pods.from, pods.to);
    return { ...cell, there: way?.there ?? [], back: way?.back ?? [] };
  });
}
