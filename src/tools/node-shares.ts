/** Which pods each node of a cluster has and where the node is, as `kubectl` prints it and a shell on a node reads it. */
import type { ExemptionRule, NodeRoute } from '../lab/routing.ts';
import type { Family } from '../net/address.ts';
import { routeReplace } from './ip-route.ts';
import { ruleInsert } from './iptables.ts';

/** A line a node: its pod ranges, a bar, its addresses. */
export const NODE_SHARES =
  '{range .items[*]}{.spec.podCIDRs[*]}|{.status.addresses[?(@.type=="InternalIP")].address}{"\\n"}{end}';

/** A shell pattern of `CIDR,ADDRESS`: pairs of these families are routed, and nothing else. */
function onlyPairsOf(families: readonly Family[]): string {
  const six = families.includes(6);
  if (six && families.includes(4)) return '*:*,*:*) ;; *:*) continue ;;';
  return six ? '*:*,*:*) ;; *) continue ;;' : '*:*) continue ;;';
}

/**
 * A script for a node: puts in exemptions, and routes to every node that standard input tells of, in these families.
 * It fails when there is none: half a cluster's answer must not pass for a cluster without pods.
 */
export function routeShares(families: readonly Family[], rules: readonly ExemptionRule[]): string {
  const route: NodeRoute = { destination: '"$range"', via: '"$address"' };
  return [
    ...rules.map(ruleInsert),
    'routed=',
    // What is captured has no newline at its end, for which read fails although it read.
    'while IFS="|" read -r ranges addresses || [ -n "$ranges" ]; do',
    '  for range in $ranges; do',
    '    for address in $addresses; do',
    `      case "$range,$address" in ${onlyPairsOf(families)} esac`,
    `      ${routeReplace(route)}`,
    '      routed=yes',
    '    done',
    '  done',
    'done',
    '[ -n "$routed" ] || { echo "no node of it has a pod range and an address" >&2; exit 1; }',
  ].join('\n');
}
