import type { Problem } from '../errors.ts';
import type { Cluster, NetworkSpec, Pin } from '../lab/lab.ts';
import { contains, type Interval, overlaps, parseInterval } from '../net/cidr.ts';

/** A range that somebody wrote, and what it is for. */
interface Named {
  /** Such as `pods of smiley`. */
  readonly name: string;
  readonly pin: Pin;
  readonly range: Interval;
}

/** What is wrong between the ranges that are written down: of all clusters, and of their network. */
export function findRangeProblems(clusters: readonly Cluster[], network: NetworkSpec): Problem[] {
  const named = (key: 'pods' | 'services' | 'loadBalancer') =>
    clusters.flatMap((cluster) => cluster.network[key].flatMap((pin) => nameRange(`${key} of ${cluster.name}`, pin)));
  const subnets = network.subnets.flatMap((pin) => nameRange('network', pin));
  const ipRange = network.ipRange ? nameRange('ipRange', network.ipRange) : [];
  const inside = [...named('pods'), ...named('services')];
  const pools = named('loadBalancer');
  return [
    ...findSecondSubnets(subnets),
    ...ipRange.flatMap((range) => findOutside(range, subnets, true) ?? []),
    ...pools.flatMap((pool) => findOutside(pool, subnets, false) ?? []),
    ...findOverlaps([...inside, ...subnets]),
    // Pools are parts of the subnets, but of nothing else.
    ...findOverlaps([...inside, ...pools]),
    ...findOverlaps([...ipRange, ...pools]),
  ];
}

function nameRange(name: string, pin: Pin): Named[] {
  const range = parseInterval(pin.cidr);
  return range ? [{ name, pin, range }] : [];
}

function findSecondSubnets(subnets: readonly Named[]): Problem[] {
  return subnets
    .filter(({ range }, index) => subnets.findIndex((other) => other.range.family === range.family) < index)
    .map(({ pin, range }) => ({
      at: pin.at,
      message: `a second IPv${range.family} subnet: the network has one a family`,
    }));
}

function findOutside({ name, pin, range }: Named, subnets: readonly Named[], mustExist: boolean): Problem | undefined {
  const subnet = subnets.find((other) => other.range.family === range.family);
  if (!subnet) {
    if (!mustExist) return undefined;
    return {
      at: pin.at,
      message: `${name}: ${pin.cidr} needs the subnet that it is a part of`,
      hint: 'add it to subnets',
    };
  }
  if (contains(subnet.range, range)) return undefined;
  const message = `${name}: ${pin.cidr} is outside the network's subnet ${subnet.pin.cidr} (${subnet.pin.at})`;
  return { at: pin.at, message };
}

/** One problem for each range that begins before an earlier one ends; O(n log n). */
function findOverlaps(ranges: readonly Named[]): Problem[] {
  const sorted = [...ranges].sort(
    ({ range: a }, { range: b }) => a.family - b.family || (a.first < b.first ? -1 : a.first > b.first ? 1 : 0),
  );
  const problems: Problem[] = [];
  let widest: Named | undefined;
  for (const next of sorted) {
    if (widest && overlaps(widest.range, next.range)) problems.push(describeOverlap(widest, next));
    if (!widest || widest.range.family !== next.range.family || next.range.last > widest.range.last) widest = next;
  }
  return problems;
}

const describeOverlap = (a: Named, b: Named): Problem => ({
  at: b.pin.at,
  message: `${b.name}: ${b.pin.cidr} overlaps ${a.pin.cidr} (${a.name}, ${a.pin.at})`,
});
