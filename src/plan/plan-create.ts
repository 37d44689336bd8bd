import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { Plan, RunStep } from '../step/step.ts';
import { MTU_OPTION } from '../tools/docker.ts';
import type { Change } from './change.ts';
import { clusterSteps } from './cluster-steps.ts';
import { clustersToMake, summariseCreate } from './summary.ts';
import { verbPlan } from './verb-plan.ts';

/**
 * The steps that make the changes of a `create`, a graph without global barriers: the network and each image once,
 * then every cluster on its own.
 */
export function planCreate(
  desired: Desired,
  observed: Observed,
  changes: readonly Change[],
  names: readonly string[],
): Plan {
  const making = new Set(clustersToMake(changes));
  const network = changes.some(({ kind }) => kind === 'network') ? [networkStep(desired)] : [];
  const pulls = pullSteps(desired, observed, making);
  const byCluster = new Map<string, Change[]>(desired.clusters.map(({ name }) => [name, []]));
  for (const change of changes) if ('cluster' in change) byCluster.get(change.cluster)?.push(change);
  const clusters = desired.clusters.flatMap((cluster) => {
    const own = byCluster.get(cluster.name) ?? [];
    const pull = pulls.find(({ argv }) => argv.at(-1) === PROVIDERS[cluster.spec.provider].image(cluster.spec));
    const shared = [...network, ...(pull ? [pull] : [])].map(({ id }) => id);
    return clusterSteps({ desired, observed, cluster, changes: own, shared });
  });
  const steps = [...network, ...pulls, ...clusters];
  return verbPlan('create', desired, steps, summariseCreate(desired, changes, names));
}

function networkStep({ network }: Desired): RunStep {
  const labels = Object.entries(network.labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]);
  const mtu = network.mtu ? ['-o', `${MTU_OPTION}=${network.mtu}`] : [];
  const subnets = network.subnets.flatMap(({ range, gateway, ipRange, family }) => [
    ...(family === 6 ? ['--ipv6'] : []),
    '--subnet',
    range,
    '--gateway',
    gateway,
    ...(ipRange ? ['--ip-range', ipRange] : []),
  ]);
  return {
    kind: 'run',
    id: 'network',
    title: `create Docker network ${network.name}`,
    clusters: [],
    needs: [],
    timeout: 60,
    why: 'IPv4 first, because k3d reads only the first entry; an ip-range, so that Docker never hands out pool addresses.',
    argv: ['docker', 'network', 'create', '--driver', 'bridge', ...mtu, ...labels, ...subnets, network.name],
    precondition: {
      argv: ['docker', 'network', 'ls', '--quiet', '--filter', `name=^${network.name}$`],
      expect: 'empty',
      otherwise: 'stop',
      message: `a Docker network called ${network.name} appeared while this ran`,
    },
  };
}

/** Each image that is not on the engine, once, before the clusters that need it. */
function pullSteps(desired: Desired, observed: Observed, making: ReadonlySet<string>): RunStep[] {
  const images = desired.clusters
    .filter(({ name }) => making.has(name))
    .map(({ spec }) => PROVIDERS[spec.provider].image(spec));
  const absent = [...new Set(images)].filter(
    (image): image is string => image !== undefined && !observed.images[image],
  );
  return absent.map((image) => ({
    kind: 'run',
    id: `pull/${image}`,
    title: `pull ${image}`,
    clusters: [],
    needs: [],
    timeout: 1800,
    argv: ['docker', 'pull', '--quiet', image],
  }));
}
