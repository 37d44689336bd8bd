import type { Hop, Path } from '../lab/reach.ts';

/** One path, hop by hop: the route and the rule that it hits on each node, and what really came of it. */
export const formatPaths = (title: string, paths: readonly Path[]): string =>
  [title, ...paths.map(formatPath)].join('\n\n');

function formatPath({ kind, from, to, family, there, back, result, source, reason, repair }: Path): string {
  const what = kind === 'pool' ? 'its load balancer, which needs no route' : 'a pod';
  const end = result === 'ok' ? `ok: answered, and arrived as ${source}` : `FAILED: ${reason}\n    ${repair}`;
  return [
    `v${family}  ${from.node} -> ${to.name} (${what})`,
    ...there.map((hop) => `  there  ${formatHop(hop)}`),
    ...back.map((hop) => `  back   ${formatHop(hop)}`),
    `  ${end}`,
  ].join('\n');
}

function formatHop({ node, route, rule }: Hop): string {
  const parts = [
    ...(route ? [`route ${route.destination} via ${route.via}`] : []),
    ...(rule ? [`rule ${rule.chain} ${rule.args.join(' ')}`] : []),
  ];
  return `${node}${parts.length > 0 ? `: ${parts.join('; ')}` : ''}`;
}
