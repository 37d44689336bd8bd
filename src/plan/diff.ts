import { manifestId } from '../addons/metallb.ts';
import { InputError, type Problem } from '../errors.ts';
import type { Desired, DesiredCluster } from '../lab/desired.ts';
import type { AppliedCluster, Observed, ObservedCluster } from '../lab/observed.ts';
import type { Change } from './change.ts';

const ZONE_LABEL = 'topology.kubernetes.io/zone';

export interface DiffOptions {
  /** The clusters that the command is about. */
  readonly names: readonly string[];
  /** Clusters that may be deleted and made anew. */
  readonly recreate: readonly string[];
}

/**
 * What `create` has to change. A cluster that was once ready is never made anew unless it is named in `recreate`.
 * @throws InputError when a cluster differs in what only a rebuild can change, or is not this lab's
 */
export function diffForCreate(desired: Desired, observed: Observed, options: DiffOptions): Change[] {
  const problems: Problem[] = [];
  const changes: Change[] = [];
  const network = observed.networks.some(({ name }) => name === desired.network.name);
  for (const cluster of desired.clusters.filter(({ name }) => options.names.includes(name))) {
    const existing = observed.clusters.find(
      ({ name, provider }) => name === cluster.name && provider === cluster.spec.provider,
    );
    problems.push(...foreignContexts(desired, observed, cluster, existing));
    if (existing && existing.owner !== desired.lab.uid) {
      problems.push(notOurs(desired.lab.dir, cluster, existing));
    } else if (!existing) {
      changes.push({ kind: 'cluster', action: 'create', cluster: cluster.name, why: 'it does not exist' });
      changes.push(...afterCreation(desired, cluster));
    } else if (!existing.applied || options.recreate.includes(cluster.name)) {
      const why = existing.applied ? 'asked for by --recreate' : 'it never became ready, so it is made anew';
      changes.push({ kind: 'cluster', action: 'recreate', cluster: cluster.name, why });
      changes.push(...afterCreation(desired, cluster));
    } else {
      problems.push(...fixedDifferences(desired, cluster, existing));
      changes.push(...inPlace(desired, observed, cluster, existing));
    }
  }
  if (problems.length > 0) throw new InputError(problems);
  const making = changes.some(
    ({ kind, ...change }) => kind === 'cluster' && 'action' in change && change.action !== 'start',
  );
  return network || !making
    ? changes
    : [{ kind: 'network', action: 'create', why: 'the clusters of the lab share one Docker network' }, ...changes];
}

function afterCreation(desired: Desired, cluster: DesiredCluster): Change[] {
  const { name } = cluster;
  const why = 'the cluster is new';
  return [
    ...(cluster.spec.images.length > 0
      ? [{ kind: 'images', cluster: name, images: cluster.spec.images, why } as const]
      : []),
    { kind: 'record', cluster: name, why },
    ...(desired.loadBalancer.addon === 'none'
      ? []
      : [{ kind: 'loadBalancer', action: 'install', cluster: name, why } as const]),
    { kind: 'contexts', action: 'merge', cluster: name, contexts: cluster.contexts, why },
  ];
}

/** What a cluster that was once ready lacks. */
function inPlace(desired: Desired, observed: Observed, cluster: DesiredCluster, existing: ObservedCluster): Change[] {
  const { name } = cluster;
  const changes: Change[] = [];
  const stopped = existing.nodes.filter(({ running }) => !running).map((node) => node.name);
  const ready = existing.api?.nodes.filter((node) => node.ready).length ?? 0;
  if (!existing.credentials)
    changes.push({ kind: 'kubeconfig', cluster: name, why: 'its private kubeconfig is not here' });
  if (stopped.length > 0 || ready < cluster.nodes.length) {
    const why =
      stopped.length > 0 ? `stopped: ${stopped.join(', ')}` : `${ready} of ${cluster.nodes.length} nodes are ready`;
    changes.push({ kind: 'cluster', action: 'start', cluster: name, why });
  }
  const images = cluster.spec.images.filter(
    (image) => (existing.applied as AppliedCluster).images[image] !== observed.images[image],
  );
  if (images.length > 0)
    changes.push({ kind: 'images', cluster: name, images, why: 'another build of them is loaded' });
  const zones = existing.api?.nodes.map(({ labels }) => labels[ZONE_LABEL]) ?? [];
  if (zones.some((zone) => zone !== cluster.spec.zone)) {
    changes.push({ kind: 'zone', cluster: name, why: `zone: ${zones[0] ?? 'none'} → ${cluster.spec.zone ?? 'none'}` });
  }
  changes.push(...loadBalancerChanges(desired, cluster, existing));
  const recorded = existing.applied?.loadBalancer.join() === cluster.loadBalancer.map(({ range }) => range).join();
  if (existing.unmarked || images.length > 0 || !recorded) {
    changes.push({
      kind: 'record',
      cluster: name,
      why: existing.unmarked ? 'its record is not in the cluster yet' : 'it changed',
    });
  }
  const contexts = cluster.contexts.filter((context) => !isCurrent(observed, context, existing));
  if (contexts.length > 0)
    changes.push({ kind: 'contexts', action: 'merge', cluster: name, contexts, why: 'missing or stale' });
  return changes;
}

function loadBalancerChanges(desired: Desired, cluster: DesiredCluster, existing: ObservedCluster): Change[] {
  if (desired.loadBalancer.addon === 'none') return [];
  const state = existing.api?.loadBalancer;
  const change = (action: 'install' | 'pool', why: string): Change[] => [
    { kind: 'loadBalancer', action, cluster: cluster.name, why },
  ];
  if (!existing.api) return change('install', 'its state is not known while the API server is away');
  if (!state?.ready) return change('install', state ? 'MetalLB is not ready' : 'MetalLB is not installed');
  if (state.manifest && state.manifest !== manifestId(desired.loadBalancer.manifest))
    return change('install', 'the manifest changed');
  const wanted = cluster.loadBalancer.map(({ range }) => range);
  if (wanted.join() !== state.pools.join())
    return change('pool', `pool: ${state.pools.join(', ') || 'none'} → ${wanted.join(', ')}`);
  return state.advertised ? [] : change('pool', 'the pool is not advertised');
}

const isCurrent = (observed: Observed, context: string, { credentials }: ObservedCluster): boolean =>
  observed.contexts.some(
    ({ name, owner, ca, server }) =>
      name === context && owner !== undefined && ca === credentials?.ca && server === credentials?.server,
  );

function foreignContexts(
  desired: Desired,
  observed: Observed,
  cluster: DesiredCluster,
  existing: ObservedCluster | undefined,
): Problem[] {
  const ca = existing?.credentials?.ca;
  return observed.contexts
    .filter(
      ({ name, owner, ...context }) =>
        cluster.contexts.includes(name) && owner !== desired.lab.uid && (ca === undefined || context.ca !== ca),
    )
    .map(({ name, file }) => ({
      at: file,
      message: `context ${name} is not this lab's, and cluster ${cluster.name} needs the name`,
      hint: `rename or delete it (kubectl config delete-context ${name}), or use another file: --kubeconfig FILE`,
    }));
}

function notOurs(dir: string, cluster: DesiredCluster, existing: ObservedCluster): Problem {
  const whose = existing.applied
    ? `belongs to lab ${existing.applied.lab} in ${existing.applied.dir}`
    : existing.owner
      ? 'belongs to another lab'
      : 'was not made by lab';
  return {
    at: cluster.spec.at,
    message: `a ${existing.provider} cluster called ${cluster.name} exists and ${whose}`,
    hint: `choose another name, or delete that one: lab delete ${dir} ${cluster.name} --adopt`,
  };
}

function fixedDifferences(desired: Desired, cluster: DesiredCluster, existing: ObservedCluster): Problem[] {
  const had = existing.applied?.fixed ?? {};
  const differing = Object.keys({ ...had, ...cluster.fixed }).filter(
    (key) => (had[key] ?? '') !== (cluster.fixed[key] ?? ''),
  );
  const names = new Set(existing.nodes.map(({ name }) => name));
  const gone = cluster.nodes.filter(({ name }) => !names.has(name)).map(({ name }) => name);
  const details = differing.map((key) => `${key}: ${had[key] || 'none'} → ${cluster.fixed[key] || 'none'}`);
  if (gone.length > 0 && differing.length === 0) details.push(`nodes that are gone: ${gone.join(', ')}`);
  if (details.length === 0) return [];
  return [
    {
      at: cluster.spec.at,
      message: `cluster ${cluster.name} cannot be changed in place: ${details.join('; ')}`,
      hint: `take the change back, or rebuild it and lose what is in it: lab create ${desired.lab.dir} ${cluster.name} --recreate ${cluster.name}`,
    },
  ];
}
