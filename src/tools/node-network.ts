/** A node's routes and nat rules as text: what a listing means, and what the lines that change them do to it. */
import type { NodeNetwork } from '../lab/routing.ts';
import type { Family } from '../net/address.ts';
import { parseRoutes } from './ip-route.ts';
import { parseRules } from './iptables.ts';

/** Reads `ip route show` of both families, and `iptables -S` and `ip6tables -S` of the nat table. */
export function nodeNetwork(routes: string, rules4: string, rules6: string): NodeNetwork {
  const [v4, v6] = [parseRules(4, rules4), parseRules(6, rules6)];
  return {
    routes: parseRoutes(routes),
    rules: [...v4.rules, ...v6.rules],
    masquerading: [...v4.masquerading, ...v6.masquerading],
  };
}

/** Lines of `ip route show` and of `iptables -S`, by family. */
export interface Listing {
  readonly routes: readonly string[];
  readonly rules: Readonly<Record<Family, readonly string[]>>;
}

/** What a node lists once the lines of a script have run on it. @throws TypeError for a line that is none of ours */
export const afterScript = (before: Listing, script: string): Listing =>
  script.trim().split('\n').reduce(afterLine, before);

function afterLine(listing: Listing, line: string): Listing {
  const [, action, destination = '', rest = ''] = /^ip route (replace|del) (\S+) (.*)$/.exec(line) ?? [];
  if (action) {
    const others = listing.routes.filter((route) => !route.startsWith(`${destination} `));
    return { ...listing, routes: action === 'del' ? others : [...others, `${destination} ${rest}`] };
  }
  const [, program, letter, chain, args] =
    /(?:^| )(iptables|ip6tables) -w -t nat -(I|D) (\S+) (?:1 )?(.*?)(?: 2>\/dev\/null \|\| true)?$/.exec(line) ?? [];
  if (!program) throw new TypeError(`not a line that changes a node's routing: ${line}`);
  const family: Family = program === 'iptables' ? 4 : 6;
  const rule = `-A ${chain} ${args}`;
  const others = listing.rules[family].filter((one) => one !== rule);
  // The head of its chain; how chains stand among each other does not matter.
  return { ...listing, rules: { ...listing.rules, [family]: letter === 'D' ? others : [rule, ...others] } };
}

export const readListing = ({ routes, rules }: Listing): NodeNetwork =>
  nodeNetwork(routes.join('\n'), rules[4].join('\n'), rules[6].join('\n'));
