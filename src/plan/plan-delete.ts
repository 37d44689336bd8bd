import { InputError } from '../errors.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Observed, ObservedCluster } from '../lab/observed.ts';
import { describeOwner, NETWORK_LABELS, takesPart } from '../lab/ownership.ts';
import { unlinkSteps } from '../mesh/linkerd-links.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { Plan, Step } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { diffDeparture } from './diff-departure.ts';
import { departedPools, poolSteps } from './peer-pools.ts';
import { routingStep } from './routing-step.ts';
import { removeStep } from './workload-steps.ts';

export interface DeleteRequest {
  readonly lab: { readonly name: string; readonly uid: string };
  /** The clusters to delete; those that do not exist are passed over. */
  readonly names: readonly string[];
  /** Also clusters that another lab or a person made. */
  readonly adopt: boolean;
}

/**
 * The steps that remove clusters and what they left: containers and volumes, contexts, routes and exemptions on peers
 * that stay, and the network once nothing is on it. Built from what is observed alone, so that it works when the spec is gone.
 * @throws InputError for a cluster that this lab did not make
 */
export function planDelete(observed: Observed, { lab, names, adopt }: DeleteRequest): Plan {
  const leaving = observed.clusters.filter(({ name, existing }) => existing && names.includes(name));
  const isLeaving = (name: string) => leaving.some((one) => one.name === name);
  const named = observed.clusters.filter(
    ({ name, owner, existing }) => !existing && names.includes(name) && (owner === lab.uid || !isLeaving(name)),
  );
  // Somebody's k3d cluster may have the name of our kind cluster: then ours is meant.
  const own = new Set(named.flatMap(({ name, owner }) => (owner === lab.uid ? [name] : [])));
  const doomed = named.filter(({ name, owner }) => owner === lab.uid || !own.has(name));
  const foreign = doomed.filter(({ owner }) => owner !== lab.uid);
  if (foreign.length > 0 && !adopt) throw new InputError(foreign.map(refuse));
  // Also of clusters that somebody else removed.
  const workloads = (observed.workloads ?? []).filter(
    ({ owner, cluster }) => owner === lab.uid && names.includes(cluster),
  );
  const removals = workloads.map(removeStep);
  const steps = [...removals, ...doomed.flatMap((cluster) => clusterSteps(cluster, observed, lab.uid))];
  const gone = names.filter((name) => !doomed.some((cluster) => cluster.name === name));
  const leftovers = gone.flatMap((name) => contextSteps(name, observed, lab.uid, []));
  // Next to the removals, not before them: a peer that is broken does not keep a cluster alive.
  const peers = diffDeparture(observed, lab.uid, doomed, leaving).map((change) => routingStep(change));
  const pools = departedPools(observed, lab.uid, names).flatMap(poolSteps);
  const unlinks = unlinkPeers(observed, lab.uid, names);
  const networks = networkSteps(
    observed,
    lab.uid,
    [...doomed.flatMap(({ nodes }) => nodes), ...workloads].map(({ name }) => name),
    doomed,
    steps.map(({ id }) => id),
  );
  return {
    version: 1,
    lab,
    verb: 'delete',
    summary: `Plan: ${formatCount(doomed.length, 'cluster')} to delete${leaving.length > 0 ? `, ${leaving.length} to let go` : ''}, ${formatCount(networks.length, 'network')} to remove${peers.length > 0 ? `, ${formatCount(peers.length, 'node')} of peers to clean` : ''}.`,
    warnings: [],
    steps: [...steps, ...leftovers, ...peers, ...pools, ...unlinks, ...networks],
  };
}

/** Links of the clusters that stay to those that go, and all that an existing cluster has when it goes. */
function unlinkPeers({ clusters }: Observed, uid: string, names: readonly string[]): Step[] {
  const isGoing = (name: string) => names.includes(name);
  return clusters
    .filter((cluster) => takesPart(cluster, uid) && cluster.credentials && (cluster.existing || !isGoing(cluster.name)))
    .flatMap(({ name, api }) =>
      (api?.linkerd?.extension.links ?? [])
        .filter(({ to, record }) => record?.uid === uid && (isGoing(to) || isGoing(name)))
        .flatMap(({ to }) => unlinkSteps({ from: name, to, federated: api?.linkerd?.extension.federated ?? [] })),
    );
}

function refuse(cluster: ObservedCluster) {
  return {
    at: 'command line',
    message: `${cluster.provider} cluster ${cluster.name} ${describeOwner(cluster)}`,
    hint: 'delete it all the same: --adopt',
  };
}

function clusterSteps(cluster: ObservedCluster, observed: Observed, uid: string): Step[] {
  const { make } = PROVIDERS[cluster.provider];
  if (!make) throw new TypeError(`${cluster.name} is not this lab's to remove`);
  const remove = make.remove(cluster.name, []);
  return [remove, ...contextSteps(cluster.name, observed, uid, [remove.id])];
}

/** Takes the cluster's contexts out of the user's kubeconfig: only those that carry this lab's mark. */
function contextSteps(cluster: string, observed: Observed, uid: string, needs: readonly string[]): Step[] {
  const own = [cluster, ...Object.values(PROVIDERS).map((provider) => provider.contextName(cluster))];
  const ours = observed.contexts.filter(({ name, owner }) => owner === uid && own.includes(name));
  // KUBECONFIG may name several files, and another one may come first now than when they were merged.
  return [...new Set(ours.map(({ file }) => file))].map((file, index) => {
    const contexts = ours.filter((context) => context.file === file).map(({ name }) => name);
    return {
      kind: 'kubeconfig',
      action: 'remove',
      id: `${cluster}/contexts${index === 0 ? '' : `-${index + 1}`}`,
      title: `remove context ${contexts.join(' and ')}`,
      clusters: [cluster],
      needs,
      timeout: 30,
      source: kubeconfigFile(cluster),
      file,
      cluster,
      contexts,
      owner: uid,
    };
  });
}

/** The lab's own networks, unless something that stays is on them. */
function networkSteps(
  observed: Observed,
  uid: string,
  containers: readonly string[],
  doomed: readonly ObservedCluster[],
  needs: readonly string[],
): Step[] {
  const going = new Set(containers);
  const staying = observed.clusters
    .filter((cluster) => !doomed.includes(cluster))
    .flatMap(({ nodes }) => nodes.flatMap((node) => Object.keys(node.networks)));
  return observed.networks
    .filter(({ labels }) => labels[NETWORK_LABELS.uid] === uid)
    .filter(({ name, attached }) => !staying.includes(name) && attached.every((container) => going.has(container.name)))
    .map(({ name }) => ({
      kind: 'run',
      id: `network/${name}`,
      title: `remove Docker network ${name}`,
      clusters: [],
      needs,
      timeout: 60,
      argv: ['docker', 'network', 'rm', name],
      precondition: {
        argv: ['docker', 'ps', '--all', '--quiet', '--filter', `network=${name}`],
        expect: 'empty',
        otherwise: 'skip',
        message: `something else is on network ${name}: it stays`,
      },
    }));
}
