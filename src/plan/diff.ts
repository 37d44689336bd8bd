import { manifestId } from '../addons/addon.ts';
import { LOAD_BALANCERS } from '../addons/index.ts';
import { InputError, type Problem } from '../errors.ts';
import type { Desired, DesiredCluster } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { AppliedCluster, Observed, ObservedCluster } from '../lab/observed.ts';
import { describeOwner } from '../lab/ownership.ts';
import type { Change } from './change.ts';
import { certificateChanges, serversToCertify } from './diff-certificate.ts';

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
  const names = new Set(options.names);
  const chosen = desired.clusters.filter(({ name }) => names.has(name));
  const found = chosen.map((cluster) => clusterChanges(desired, observed, cluster, options.recreate));
  const changes = found.flatMap((one) => one.changes);
  const making = changes.some((change) => change.kind === 'cluster' && change.action !== 'start');
  // A new range must not overlap one that could not be read.
  const unknown = desired.clusters.filter(({ name }) => making && !names.has(name));
  const problems = [
    ...found.flatMap((one) => one.problems),
    ...unknown.flatMap((cluster) => existingProblems(cluster, observed)),
  ];
  if (problems.length > 0) throw new InputError(problems);
  return making && !observed.networks.some(({ name }) => name === desired.network.name)
    ? [{ kind: 'network', action: 'create', why: 'the clusters of the lab share one Docker network' }, ...changes]
    : changes;
}

/** What changes for clusters that run, and must not change otherwise: a spec that was edited is told, not applied. */
export function diffForRepair(
  desired: Desired,
  observed: Observed,
  names: readonly string[],
): { readonly changes: readonly Change[]; readonly warnings: readonly string[] } {
  const found = desired.clusters
    .filter(({ name }) => names.includes(name))
    .map((cluster) => clusterChanges(desired, observed, cluster, []));
  return {
    changes: found.flatMap(({ changes, problems }) =>
      problems.length === 0 ? changes : changes.filter(({ kind }) => kind === 'kubeconfig' || kind === 'certificate'),
    ),
    warnings: found.flatMap(({ problems }) => problems.map(({ message, hint }) => `${message}\n  ${hint}`)),
  };
}

interface Found {
  readonly changes: readonly Change[];
  readonly problems: readonly Problem[];
}

function clusterChanges(
  desired: Desired,
  observed: Observed,
  cluster: DesiredCluster,
  recreate: readonly string[],
): Found {
  const { name } = cluster;
  const existing = observed.clusters.find((one) => one.name === name && one.provider === cluster.spec.provider);
  if (cluster.spec.access)
    return { changes: existing ? takeIn(existing) : [], problems: existingProblems(cluster, observed) };
  const foreign = foreignContexts(desired, observed, cluster, existing);
  const make = (action: 'create' | 'recreate', why: string, loses = false): Found => ({
    changes: [
      { kind: 'cluster', action, cluster: name, why, ...(loses && { loses: true as const }) },
      ...afterCreation(desired, cluster),
    ],
    problems: foreign,
  });
  const refuse = (problem: Problem): Found => ({ changes: [], problems: [...foreign, problem] });
  if (!existing) return make('create', 'it does not exist');
  if (existing.owner !== desired.lab.uid) return refuse(notOurs(desired.lab.dir, cluster, existing));
  const wasReady = existing.applied !== undefined || existing.unreadable !== undefined;
  if (wasReady && recreate.includes(name)) return make('recreate', 'asked for by --recreate', true);
  if (existing.unreadable !== undefined) return refuse(unreadable(desired.lab.dir, cluster, existing.unreadable));
  if (!existing.applied) return make('recreate', 'it never became ready, so it is made anew');
  return {
    changes: inPlace(desired, observed, cluster, existing),
    problems: [...foreign, ...fixedDifferences(desired, cluster, existing)],
  };
}

/** Of a cluster that is there already only the credentials are copied. */
function takeIn({ name, credentials, existing }: ObservedCluster): Change[] {
  if (credentials && !existing?.stale) return [];
  return [{ kind: 'kubeconfig', cluster: name, why: credentials ? 'its credentials changed' : 'it joins the lab' }];
}

function existingProblems({ name, spec }: DesiredCluster, { clusters }: Observed): Problem[] {
  const problem = clusters.find((one) => one.name === name)?.existing?.problem;
  return spec.access && problem ? [{ at: spec.access.at, ...problem, message: `${name}: ${problem.message}` }] : [];
}

function afterCreation(desired: Desired, cluster: DesiredCluster): Change[] {
  const { name } = cluster;
  const why = 'the cluster is new';
  const servers = serversToCertify(cluster);
  return [
    ...(servers.length > 0 ? [{ kind: 'certificate', cluster: name, nodes: servers, why } as const] : []),
    ...(cluster.spec.images.length > 0
      ? ([
          { kind: 'record', cluster: name, why, early: true },
          { kind: 'images', cluster: name, images: cluster.spec.images, why },
        ] as const)
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
  // A published port may be another one after a restart.
  if (!existing.credentials || !existing.api)
    changes.push({ kind: 'kubeconfig', cluster: name, why: 'its private kubeconfig is missing or may be stale' });
  const starts = stopped.length > 0 || ready < cluster.nodes.length;
  if (starts) {
    const why =
      stopped.length > 0
        ? `stopped: ${stopped.join(', ')}`
        : `${ready} of ${formatCount(cluster.nodes.length, 'node is', 'nodes are')} ready`;
    changes.push({ kind: 'cluster', action: 'start', cluster: name, why });
  }
  changes.push(...certificateChanges(cluster, desired.network.name, existing));
  const loaded = (existing.applied as AppliedCluster).images;
  // An image that the engine no longer holds is still on the nodes, once it was loaded.
  const images = cluster.spec.images.filter((image) =>
    observed.images[image] ? observed.images[image] !== loaded[image] : !loaded[image],
  );
  if (images.length > 0) changes.push({ kind: 'images', cluster: name, images, why: 'these builds are not loaded' });
  const zone = zoneChange(cluster, existing);
  changes.push(...zone);
  changes.push(...loadBalancerChanges(desired, cluster, existing, starts));
  const recorded = existing.applied?.loadBalancer.join() === cluster.loadBalancer.map(({ range }) => range).join();
  if (existing.unmarked || images.length > 0 || zone.length > 0 || !recorded) {
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

/** A zone that lab did not set is none of its business: a node may have one of its own. */
function zoneChange({ name, spec }: DesiredCluster, { api, applied }: ObservedCluster): Change[] {
  if (spec.zone === undefined) {
    return applied?.zone === undefined ? [] : [{ kind: 'zone', cluster: name, why: `zone: ${applied.zone} → none` }];
  }
  const missing = api?.nodes.some(({ labels }) => labels[ZONE_LABEL] === undefined) ?? false;
  return applied?.zone === spec.zone && !missing
    ? []
    : [{ kind: 'zone', cluster: name, why: `zone: ${applied?.zone ?? 'none'} → ${spec.zone}` }];
}

function loadBalancerChanges(
  desired: Desired,
  cluster: DesiredCluster,
  existing: ObservedCluster,
  starts: boolean,
): Change[] {
  const { addon, manifest } = desired.loadBalancer;
  if (addon === 'none') return [];
  const { title } = LOAD_BALANCERS[addon];
  const state = existing.api?.loadBalancer;
  const change = (action: 'install' | 'pool' | 'wait', why: string): Change[] => [
    { kind: 'loadBalancer', action, cluster: cluster.name, why },
  ];
  // Nothing is fetched for what was installed before: a start works offline too.
  if (!existing.api) return change('wait', 'the API server is away');
  if (!state || !(state.ready || starts)) return change('install', `${title} is not ${state ? 'ready' : 'installed'}`);
  if (state.manifest && state.manifest !== manifestId(manifest)) return change('install', 'the manifest changed');
  const wanted = cluster.loadBalancer.map(({ range }) => range);
  if (wanted.join() !== state.pools.join())
    return change('pool', `pool: ${state.pools.join(', ') || 'none'} → ${wanted.join(', ')}`);
  if (!state.advertised) return change('pool', 'the pool is not advertised');
  // Whatever it says while its nodes start, it said before.
  return starts ? change('wait', 'its nodes start') : [];
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

function unreadable(dir: string, cluster: DesiredCluster, why: string): Problem {
  return {
    at: cluster.spec.at,
    message: `it is not known whether cluster ${cluster.name} was ever ready: ${why}`,
    hint: `try again; or rebuild it and lose what is in it: lab create ${dir} ${cluster.name} --recreate ${cluster.name}`,
  };
}

function notOurs(dir: string, cluster: DesiredCluster, existing: ObservedCluster): Problem {
  return {
    at: cluster.spec.at,
    message: `a ${existing.provider} cluster called ${cluster.name} exists and ${describeOwner(existing)}`,
    hint: `choose another name, or delete that one: lab delete ${dir} ${cluster.name} --adopt`,
  };
}

function fixedDifferences(desired: Desired, cluster: DesiredCluster, existing: ObservedCluster): Problem[] {
  const had = existing.applied?.fixed ?? {};
  // A property that the record does not know came with a newer lab: nothing can be said of it.
  const differing = Object.keys(had).filter((key) => key in cluster.fixed && had[key] !== cluster.fixed[key]);
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
