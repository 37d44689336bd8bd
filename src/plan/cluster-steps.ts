import { LOAD_BALANCERS } from '../addons/index.ts';
import { cniOf } from '../cni/index.ts';
import type { Desired, DesiredCluster } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { Maker } from '../providers/provider.ts';
import type { RunStep, Step } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { restartsOf } from '../tools/node-restart.ts';
import type { Change } from './change.ts';
import { readyStep, recordSteps } from './record-steps.ts';

export interface ClusterSteps {
  readonly desired: Desired;
  readonly observed: Observed;
  readonly cluster: DesiredCluster;
  readonly changes: readonly Change[];
  /** Steps of the whole lab that making the nodes waits for. */
  readonly shared: readonly string[];
}

/** Step ids that the next change builds upon: the nodes being there, and their being ready. */
interface Base {
  readonly there: readonly string[];
  readonly ready: readonly string[];
}

/** The steps of one cluster's changes, in the order of the changes; `needs` says what can overlap. */
export function clusterSteps(input: ClusterSteps): Step[] {
  const restarts = input.changes.some((change) => change.kind === 'cluster' && change.action === 'start');
  // Before anything else: the credentials of a cluster cannot be read while its nodes are stopped.
  const steps: Step[] = restarts ? startSteps(input.observed, input.cluster) : [];
  const started = steps.map(({ id }) => id);
  let base: Base = { there: started, ready: started };
  for (const change of input.changes) {
    const added = stepsOf(change, input, base);
    steps.push(...added);
    base = baseAfter(change, added, base);
  }
  return steps;
}

function stepsOf(change: Change, input: ClusterSteps, { there, ready }: Base): readonly Step[] {
  const { desired, observed, cluster } = input;
  switch (change.kind) {
    case 'kubeconfig':
      return kubeconfigSteps(observed, cluster, there);
    case 'cluster': {
      const make = change.action === 'start' ? [] : nodeSteps(input, change.action);
      const made = [...make.slice(-1).map(({ id }) => id), ...there];
      const cni = cniOf(cluster);
      const install = make.length > 0 ? (cni?.install?.(cluster, made) ?? []) : [];
      const nodes = nodesStep(
        cluster,
        install.length > 0 ? install.slice(-1).map(({ id }) => id) : made,
        change.action === 'start' ? observed : undefined,
      );
      const running = cni?.wait?.(cluster, [nodes.id]);
      return [...make, ...install, nodes, ...(running ? [running] : [])];
    }
    case 'images':
      return [makerOf(cluster).loadImages(cluster.name, change.images, there)];
    case 'certificate': {
      const { certificate } = makerOf(cluster);
      return certificate ? change.nodes.map((node) => certificate(cluster, node, there)) : [];
    }
    case 'zone':
      return [zoneStep(cluster, ready)];
    case 'record':
      return change.early ? [readyStep(desired, cluster, ready)] : recordSteps(desired, observed, cluster, ready);
    case 'loadBalancer':
      // Its pods cannot start before the pod network, which may take its time where it has to be fetched.
      return loadBalancerSteps(desired, cluster, change.action, {
        there: cniOf(cluster)?.install ? ready : there,
        ready,
      });
    case 'contexts':
      return [contextsStep(desired, cluster, change.contexts, ready)];
    case 'network':
      return [];
  }
}

function loadBalancerSteps(
  { loadBalancer: { addon, manifest } }: Desired,
  cluster: DesiredCluster,
  action: 'install' | 'pool' | 'wait',
  { there, ready }: Base,
): Step[] {
  if (addon === 'none') return [];
  const { install, pool, waits } = LOAD_BALANCERS[addon];
  if (action === 'wait') return waits(cluster, ready);
  return action === 'install' ? install(cluster, manifest, there) : [pool(cluster, manifest, ready)];
}

function baseAfter(change: Change, added: readonly Step[], base: Base): Base {
  const ids = added.map(({ id }) => id);
  if (change.kind === 'kubeconfig') return { there: ids.slice(-1), ready: ids.slice(-1) };
  if (change.kind === 'images') return { ...base, ready: [...base.ready, ...ids] };
  if (change.kind !== 'cluster') return base;
  // The API server of a new cluster answers as soon as its nodes are made; one that starts again does later.
  const made = added.filter(({ id }) => /\/(create|kubeconfig)$/.test(id)).slice(-1);
  return { there: change.action === 'start' ? ids.slice(-1) : made.map(({ id }) => id), ready: ids.slice(-1) };
}

function nodeSteps({ desired, observed, cluster, shared }: ClusterSteps, action: string): Step[] {
  const maker = makerOf(cluster);
  const remove = action === 'recreate' ? [maker.remove(cluster.name, [])] : [];
  const create = maker.create({ cluster, network: desired.network, uid: desired.lab.uid });
  const credentials = maker.writesKubeconfig ? [] : kubeconfigSteps(observed, cluster, [create.id]);
  return [...remove, { ...create, needs: [...shared, ...remove.map(({ id }) => id)] }, ...credentials];
}

function makerOf({ name, spec }: DesiredCluster): Maker {
  const { make } = PROVIDERS[spec.provider];
  if (!make) throw new TypeError(`${name} is not this lab's to make`);
  return make;
}

function startSteps(observed: Observed, cluster: DesiredCluster): Step[] {
  const nodes =
    observed.clusters.find(({ name }) => name === cluster.name)?.nodes.filter(({ running }) => !running) ?? [];
  if (nodes.length === 0) return [];
  return [
    {
      kind: 'run',
      id: `${cluster.name}/start`,
      title: 'start the nodes',
      clusters: [cluster.name],
      needs: [],
      timeout: 60,
      argv: ['docker', 'start', ...nodes.map(({ name }) => name)],
    },
  ];
}

/** Waits until every node is Ready; after a restart (where it is told what was observed before), in fresh news. */
export function nodesStep(cluster: DesiredCluster, needs: readonly string[], before?: Observed): Step {
  const nodes = before?.clusters.find(({ name }) => name === cluster.name)?.nodes;
  return {
    kind: 'wait',
    id: `${cluster.name}/nodes`,
    title: `wait for ${cluster.nodes.length === 1 ? 'the node' : `${cluster.nodes.length} nodes`}`,
    clusters: [cluster.name],
    needs,
    // The images of a pod network that the provider does not bring have to be fetched.
    timeout: cniOf(cluster)?.install ? 600 : 300,
    kubeconfig: kubeconfigFile(cluster.name),
    for: { resource: 'nodes', count: cluster.nodes.length, ...(nodes && { since: restartsOf(nodes) }) },
  };
}

function kubeconfigSteps(observed: Observed, cluster: DesiredCluster, needs: readonly string[]): Step[] {
  const { name } = cluster;
  const from = observed.clusters.find((one) => one.name === name)?.existing?.kubeconfig;
  const capture = `${name}/kubeconfig`;
  const base = { clusters: [name], timeout: 30 };
  return [
    {
      ...base,
      kind: 'query',
      id: `${name}/credentials`,
      title: 'read its kubeconfig',
      needs,
      ...PROVIDERS[cluster.spec.provider].kubeconfigQuery(cluster.spec, from),
      capture,
    },
    {
      ...base,
      kind: 'write',
      id: `${name}/kubeconfig`,
      title: 'keep its kubeconfig',
      needs: [`${name}/credentials`],
      file: kubeconfigFile(cluster.name),
      content: { ref: capture },
      mode: 0o600,
    },
  ];
}

function zoneStep(cluster: DesiredCluster, needs: readonly string[]): RunStep {
  const zone = cluster.spec.zone;
  return {
    kind: 'run',
    id: `${cluster.name}/zone`,
    title: zone ? `label the nodes with zone ${zone}` : 'take the zone label away',
    clusters: [cluster.name],
    needs,
    timeout: 30,
    argv: [
      'kubectl',
      '--kubeconfig',
      kubeconfigFile(cluster.name),
      'label',
      'nodes',
      '--all',
      '--overwrite',
      `topology.kubernetes.io/zone${zone ? `=${zone}` : '-'}`,
    ],
  };
}

function contextsStep(
  desired: Desired,
  cluster: DesiredCluster,
  contexts: readonly string[],
  needs: readonly string[],
): Step {
  return {
    kind: 'kubeconfig',
    action: 'merge',
    id: `${cluster.name}/contexts`,
    title: `add context ${contexts.join(' and ')}`,
    clusters: [cluster.name],
    needs,
    timeout: 30,
    source: kubeconfigFile(cluster.name),
    cluster: cluster.name,
    contexts,
    owner: desired.lab.uid,
  };
}
