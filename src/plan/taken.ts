import type { Lab, Pin } from '../lab/lab.ts';
import type { Observed } from '../lab/observed.ts';
import {
  type Cidr,
  countAddresses,
  formatInterval,
  type Interval,
  overlaps,
  parseCidr,
  parseInterval,
  readCidr,
} from '../net/cidr.ts';

/** A range that something holds, and what. */
export interface Taken extends Interval {
  /** Without the range, which stands behind it in messages. */
  readonly by: string;
}

/** Ranges that other tools give to every cluster they make: kept free while there is room, for clusters made by hand. */
const COMMON_DEFAULTS: readonly (readonly [string, string])[] = [
  ['10.244.0.0/16', "kind's default pod range"],
  ['10.96.0.0/12', "kind's default service range"],
  ['10.42.0.0/15', "k3s' default ranges"],
  ['fd00:10:244::/56', "kind's default pod range"],
  ['fd00:10:96::/112', "kind's default service range"],
];

/** Other tools let host bits stand (`172.20.0.1/16`, engines up to 28): the block around them is taken. */
const taken = (range: string, by: string): Taken[] => {
  const read = readCidr(range);
  const interval = 'meant' in read ? read.meant : parseInterval(range);
  return interval ? [{ ...interval, by }] : [];
};

/**
 * What no new range may overlap: Docker's networks, clusters that run or are stopped, and what a create in
 * progress has chosen. The lab's own network is among them; its clusters are too, because they keep their ranges.
 */
export function hardTaken(lab: Lab, observed: Observed): Taken[] {
  const pinned = (pins: readonly Pin[], by: string) => pins.flatMap(({ cidr, at }) => taken(cidr, `${by} (${at})`));
  return [
    ...observed.networks.flatMap(({ name, subnets }) =>
      subnets.flatMap(({ cidr }) => taken(cidr, `Docker network ${name}`)),
    ),
    ...observed.clusters.flatMap(({ provider, name, ranges }) =>
      [...(ranges?.pods ?? []), ...(ranges?.services ?? [])].flatMap((range) =>
        taken(range, `${provider} cluster ${name}`),
      ),
    ),
    ...observed.reservations
      .filter(({ uid }) => uid !== lab.uid)
      .flatMap(({ cidr = '', lab: name, use }) => taken(cidr, `${use} of lab ${name}, being created`)),
    ...lab.clusters.flatMap(({ name, network }) => [
      ...pinned(network.pods, `pods of ${name}`),
      ...pinned(network.services, `services of ${name}`),
    ]),
    ...pinned(lab.network.subnets, 'the network of this lab'),
  ];
}

/** What a new range avoids while there is room beside it: host routes, resolvers, defaults of other tools. */
export function softTaken(observed: Observed): Taken[] {
  return [
    ...observed.host.routes.flatMap(({ cidr, via }) => taken(cidr, `the host's route via ${via}`)),
    ...observed.host.resolvers.flatMap((address) =>
      taken(`${address}/${address.includes(':') ? 128 : 32}`, 'a resolver of the host'),
    ),
    ...COMMON_DEFAULTS.flatMap(([cidr, by]) => taken(cidr, by)),
  ];
}

/** The first thing that holds part of a range. */
export const holderOf = (range: Interval, held: readonly Taken[]): Taken | undefined =>
  held.find((one) => overlaps(one, range));

/** The pool of a family, as a block. */
export const poolOf = (pool: { readonly v4: string; readonly v6: string }, family: 4 | 6): Cidr =>
  parseCidr(family === 4 ? pool.v4 : pool.v6);

/** The largest holders inside a pool, for a message that says who takes the room. */
export function describeHolders(pool: Interval, held: readonly Taken[]): string {
  const inside = held.filter((one) => overlaps(one, pool));
  const sorted = inside
    .toSorted((a, b) => Number(countAddresses(b) > countAddresses(a)) - Number(countAddresses(a) > countAddresses(b)))
    .slice(0, 5);
  return sorted.map((one) => `${one.by} (${formatInterval(one)})`).join(', ') || 'nothing else';
}
