/** `ip route` on a node: lines that change it, and what its listing means. */
import type { NodeRoute } from '../lab/routing.ts';

/**
 * Routes of ours carry this metric, so that stale ones can be told from everybody else's: busybox' `ip`, which a k3s
 * node may have, takes a routing protocol too, but does not print it.
 */
const METRIC = '76';

/** Replacing is idempotent, and never leaves a stale next hop beside a new one as `add` would. */
export const routeReplace = ({ destination, via }: NodeRoute): string =>
  `ip route replace ${destination} via ${via} metric ${METRIC}`;

export const routeDelete = ({ destination, via }: NodeRoute): string =>
  `ip route del ${destination} via ${via} metric ${METRIC}`;

/** Reads `ip -4 route show` and `ip -6 route show`: the routes that go by way of another machine, but for the default. */
export function parseRoutes(text: string): (NodeRoute & { readonly ours: boolean })[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const after = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
    const via = after('via');
    const destination = words[0];
    if (!via || !destination || destination === 'default') return [];
    return [{ destination, via, ours: after('metric') === METRIC }];
  });
}
