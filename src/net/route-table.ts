import { parseAddress } from './address.ts';
import { parseCidr } from './cidr.ts';

/** The route that a packet takes: of those that hold its destination, the one with the longest prefix. */
export function lookUp<Route extends { readonly destination: string }>(
  routes: readonly Route[],
  address: string,
): Route | undefined {
  const target = parseAddress(address);
  if (!target) return undefined;
  return routes
    .map((route) => ({ route, cidr: parseCidr(asCidr(route.destination)) }))
    .filter(
      ({ cidr: { family, first, last } }) => family === target.family && first <= target.value && target.value <= last,
    )
    .toSorted((a, b) => b.cidr.prefix - a.cidr.prefix)[0]?.route;
}

/** `ip route` prints a single address without its length. */
const asCidr = (destination: string): string =>
  destination.includes('/') ? destination : `${destination}/${destination.includes(':') ? 128 : 32}`;

/** Whether an address lies in a range. */
export function holds(range: string, address: string): boolean {
  const target = parseAddress(address);
  const { family, first, last } = parseCidr(asCidr(range));
  return target !== undefined && target.family === family && first <= target.value && target.value <= last;
}
