import type { DesiredCluster } from '../lab/desired.ts';
import type { ObservedCluster } from '../lab/observed.ts';
import { type AppChange, diffApps } from './diff-apps.ts';
import type { StatusRow } from './status.ts';

const nameOf = (change: AppChange): string => ('app' in change ? change.app.name : change.name);

/** The add-ons and apps of a cluster, and what is wrong with each; nothing for a cluster without any. */
export function appRows({ name, spec }: DesiredCluster, { api }: ObservedCluster): StatusRow[] {
  const want = spec.apps.map((app) => app.name).join(',');
  if (!api) return want === '' ? [] : [{ cluster: name, thing: 'apps', result: 'unknown', have: '?', want }];
  const changes = diffApps(spec, api.apps);
  const seen = new Set([...(api.apps?.marks ?? []).map(({ app }) => app), ...changes.map(nameOf)]);
  if (want === '' && seen.size === 0) return [];
  const have = [...seen].map((app) => {
    const whys = changes.filter((change) => nameOf(change) === app).map(({ why }) => why);
    return whys.length > 0 ? `${app} (${whys.join('; ')})` : app;
  });
  return [{ cluster: name, thing: 'apps', result: changes.length > 0 ? 'drift' : 'ok', have: have.join(','), want }];
}
