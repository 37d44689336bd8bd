import type { Desired } from '../lab/desired.ts';
import type { Cell, Lookup, Probe, Sighting } from '../lab/reach.ts';
import { familyOf } from '../net/address.ts';
import { quoteArgv } from '../step/shell.ts';
import { pairs, somePod } from './simulate.ts';
import { type Pod, type Roads, type Trace, trace } from './trace.ts';

/** One thing to find out. What is missing for it to be asked stands in `problem`. */
export interface Question extends Pick<Cell, 'kind' | 'from' | 'to' | 'family'> {
  readonly probe?: Probe;
  readonly lookup?: Lookup;
  readonly pods?: { readonly from: Pod; readonly to: Pod };
  readonly problem?: string;
  /** Why a failure is no surprise. */
  readonly known?: string;
  /** The verb that puts it right. */
  readonly repair: readonly string[];
}

/** Whether pods of a cluster are asked to keep their address on the way to the rest of the group. */
const keepsSource = ({ clusters }: Desired, cluster: string): boolean =>
  clusters.find(({ name }) => name === cluster)?.spec.network.preserveSourceIP ?? false;

const asItShould = (
  desired: Desired,
  { from }: { readonly from: Pod },
  way: Pick<Trace, 'reached' | 'source'>,
): boolean => way.reached && (!keepsSource(desired, from.node.cluster) || way.source === from.address);

const line = (desired: Desired, words: readonly string[]): string => {
  const [verb = '', ...names] = words;
  return `lab ${verb} ${desired.lab.dir} ${quoteArgv(names)}`;
};

/** The matrix as routes and rules decide it, without a packet. */
export function simulateCells(desired: Desired, names: readonly string[], roads: Roads): Cell[] {
  return pairs(desired, names).flatMap(({ from, to, family }) => {
    const [one, other] = [somePod(from, family), somePod(to, family)];
    if (!one || !other) return [];
    const way = trace(roads, one, other);
    const ok = asItShould(desired, { from: one }, way);
    return [
      {
        kind: 'pod' as const,
        from: { cluster: from.cluster, node: from.node },
        to: { cluster: to.cluster, name: to.node },
        family,
        result: ok ? ('ok' as const) : ('failed' as const),
        predicted: ok,
        ...(way.reached && { source: way.source }),
        ...(!ok && way.fault && { reason: way.fault.text, repair: line(desired, ['route', from.cluster]) }),
      },
    ];
  });
}

/** What was measured, each failure with the first hop that explains it. */
export function judge(
  desired: Desired,
  questions: readonly Question[],
  measurements: Measurements,
  roads: Roads,
): Cell[] {
  return questions.map((question) => {
    const { kind, from, to, family, known, repair } = question;
    const problem = question.problem ?? measurements.problems.get(from.node) ?? measurements.problems.get(to.name);
    const { reason, ...seen } =
      problem === undefined ? answerTo(desired, question, measurements, roads) : { reason: problem };
    const cell = { kind, from, to, family };
    if (reason === undefined) return { ...cell, result: 'ok', ...seen };
    return known
      ? { ...cell, result: 'expected', reason: known, ...seen }
      : { ...cell, result: 'failed', reason, repair: line(desired, repair), ...seen };
  });
}

/** What is known of one answer; with a reason, it is not as it should be. */
type Answer = Pick<Cell, 'reason' | 'source' | 'predicted'>;

function answerTo(desired: Desired, question: Question, { sightings, lookups }: Measurements, roads: Roads): Answer {
  const { lookup, probe, pods, to } = question;
  if (lookup) return lookups.get(lookup.id) ? {} : { reason: `${lookup.server} does not know ${lookup.name}` };
  const seen: Sighting = (probe && sightings.get(probe.id)) ?? { answer: 'silent' };
  const reached = seen.answer !== 'silent' && seen.source !== undefined;
  const source = seen.source === undefined ? {} : { source: seen.source };
  if (!pods) return reached ? source : { reason: unanswered(to.name, seen), ...source };
  const way = trace(roads, pods.from, pods.to);
  const predicted = asItShould(desired, pods, way);
  const ok = asItShould(desired, pods, { reached, source: seen.source ?? '' });
  // A way through a third node can carry the first packet of a connection and lose the next.
  if (ok && predicted) return { predicted, ...source };
  return { reason: way.fault?.text ?? unexplained(pods, seen), predicted, ...source };
}

export interface Measurements {
  readonly sightings: ReadonlyMap<number, Sighting>;
  readonly lookups: ReadonlyMap<number, boolean>;
  readonly problems: ReadonlyMap<string, string>;
}

const unanswered = (address: string, seen: Sighting): string =>
  seen.source ? `${address} was asked and did not answer` : `no answer from ${address}`;

/** Routes and rules are right, and yet. */
function unexplained({ from, to }: { readonly from: Pod; readonly to: Pod }, seen: Sighting): string {
  if (!seen.source && seen.answer !== 'silent') return `something else than ${to.node.node} answers at ${to.address}`;
  if (!seen.source) return `no answer, though the routes and rules of ${from.node.node} and ${to.node.node} are right`;
  if (seen.answer === 'silent') return `it arrives on ${to.node.node} as ${seen.source}; the answer gets lost`;
  return `it arrives on ${to.node.node} as ${seen.source}, not as ${from.address}`;
}

export const addressIn = (addresses: readonly string[], family: 4 | 6): string | undefined =>
  addresses.find((address) => familyOf(address) === family);
