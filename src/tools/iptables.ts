/** `iptables` and `ip6tables` on a node: lines that change the nat table, and what its listing means. */
import type { ExemptionRule, NodeNetwork } from '../lab/routing.ts';
import type { Family } from '../net/address.ts';

const MARK = ['-m', 'comment', '--comment', 'lab'] as const;
const MASQUERADES = new Set(['MASQUERADE', 'SNAT']);
/** The chains in which pod networks masquerade. */
const AGENTS = new Set(['KIND-MASQ-AGENT', 'FLANNEL-POSTRTG']);

const program = (family: Family): string => `${family === 4 ? 'iptables' : 'ip6tables'} -w -t nat`;

/** A rule with our mark, in the order in which iptables prints it. */
function marked({ chain, args }: ExemptionRule): string {
  const jump = args.indexOf('-j');
  return [chain, ...args.slice(0, jump), ...MARK, ...args.slice(jump)].join(' ');
}

/** Puts a rule at the head of its chain, once. */
export function ruleInsert(rule: ExemptionRule): string {
  const [chain, ...rest] = marked(rule).split(' ');
  return `${program(rule.family)} -C ${chain} ${rest.join(' ')} 2>/dev/null || ${program(rule.family)} -I ${chain} 1 ${rest.join(' ')}`;
}

/** Gone already is as good. */
export const ruleDelete = (rule: ExemptionRule): string =>
  `${program(rule.family)} -D ${marked(rule)} 2>/dev/null || true`;

/**
 * Reads `iptables -t nat -S`: rules that return or accept, whether they come before what masquerades in their chain,
 * and which chains masquerade.
 */
export function parseRules(family: Family, text: string): Pick<NodeNetwork, 'rules' | 'masquerading'> {
  const masquerading = new Set<string>();
  // A jump to a chain that masquerades is as good as masquerading: what comes after it is too late.
  const late = new Set<string>();
  const rules = text.split('\n').flatMap((line) => {
    const [action, chain, ...words] = line.trim().replaceAll('"', '').split(/\s+/);
    const target = words[words.indexOf('-j') + 1] ?? '';
    if (action !== '-A' || !chain) return [];
    if (MASQUERADES.has(target)) masquerading.add(chain);
    if (MASQUERADES.has(target) || AGENTS.has(target)) late.add(chain);
    if (target !== 'RETURN' && target !== 'ACCEPT') return [];
    const at = words.findIndex((word, index) => word === '--comment' && words[index + 1] === 'lab');
    const args = at < 0 ? words : [...words.slice(0, at - 2), ...words.slice(at + 2)];
    return [{ family, chain, args, ours: at >= 0, effective: !late.has(chain) }];
  });
  return { rules, masquerading: [...masquerading].map((chain) => ({ family, chain })) };
}
