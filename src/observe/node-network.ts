import type { NodeNetwork } from '../lab/routing.ts';
import { type Runner, succeeded } from '../step/runner.ts';
import { nodeNetwork } from '../tools/node-network.ts';

const SEPARATOR = '=====';
/** One process a node, whatever it has. A node without IPv6 has no ip6tables table: that part is then empty. */
const LISTING = `ip -4 route show; ip -6 route show; echo ${SEPARATOR}; iptables -w -t nat -S; echo ${SEPARATOR}; ip6tables -w -t nat -S 2>/dev/null || true`;

/** Routes and rules of running nodes, all at once; a node that does not answer is left out. */
export async function readNodeNetworks(runner: Runner, nodes: readonly string[]): Promise<Record<string, NodeNetwork>> {
  const entries = await Promise.all(
    nodes.map(async (node) => {
      const outcome = await runner.run({ argv: ['docker', 'exec', node, 'sh', '-c', LISTING], timeout: 20 });
      if (!succeeded(outcome)) return [];
      const [routes = '', rules4 = '', rules6 = ''] = outcome.stdout.split(SEPARATOR);
      return [[node, nodeNetwork(routes, rules4, rules6)] as const];
    }),
  );
  return Object.fromEntries(entries.flat());
}
