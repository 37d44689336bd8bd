import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Observed } from '../lab/observed.ts';
import { workloadsOf } from './resolve-workloads.ts';
import type { StatusRow } from './status.ts';
import { type WorkloadState, workloadState } from './workload-state.ts';

/** Each workload of a cluster: its container, its routes, and its resource where the cluster knows such. */
export const workloadRows = (desired: Desired, observed: Observed, cluster: string): StatusRow[] =>
  workloadsOf(desired, [cluster]).map((workload): StatusRow => {
    const state = workloadState(desired, observed, workload);
    const count = workload.routes.length;
    const { container, proxy, routes, resource } = state;
    const have = [container, ...(container === 'running' ? [routesText(routes, count)] : [])];
    const want = ['running', formatCount(count, 'route')];
    if (proxy !== 'none') {
      have.push(`proxy ${proxy}`);
      want.push('proxy running');
    }
    const known = resource !== 'unknown';
    return {
      cluster,
      thing: 'workload',
      result: resultOf(state),
      have: `${workload.name}: ${[...have, ...(known ? [`resource ${resource}`] : [])].join(', ')}`,
      want: [...want, ...(known ? ['resource ready'] : [])].join(', '),
    };
  });

function resultOf({ container, proxy, routes, resource }: WorkloadState): StatusRow['result'] {
  const lacksProxy = proxy !== 'none' && proxy !== 'running';
  if (container !== 'running' || lacksProxy || resource === 'absent' || resource === 'stale') return 'drift';
  if (!routes) return 'unknown';
  return routes.add.length + routes.remove.length === 0 ? 'ok' : 'drift';
}

function routesText(routes: WorkloadState['routes'], count: number): string {
  if (!routes) return '? routes';
  const stale = routes.remove.length > 0 ? `+${routes.remove.length} stale` : '';
  const held = count - routes.add.length;
  return stale === '' ? formatCount(held, 'route') : `${held}${stale} routes`;
}
