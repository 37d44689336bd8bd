import { InputError, type Problem } from '../errors.ts';
import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Observed } from '../lab/observed.ts';
import type { DesiredWorkload } from '../lab/workload.ts';
import type { Plan, QueryStep, RunStep } from '../step/step.ts';
import { proxyOf } from './desired-proxy.ts';
import { proxySteps, sidecarPulls } from './proxy-steps.ts';
import { workloadsOf } from './resolve-workloads.ts';
import { routable } from './routable.ts';
import { verbPlan } from './verb-plan.ts';
import { apiOf, workloadState } from './workload-state.ts';
import * as steps from './workload-steps.ts';

type WorkloadStep = RunStep | QueryStep;

/**
 * Containers, routes and resources of the workloads of clusters that run, and what is left of those that are gone.
 * @throws InputError for a workload whose name is taken by another lab's
 */
export function workloadSteps(desired: Desired, observed: Observed, names: readonly string[]): WorkloadStep[] {
  const up = routable(desired, observed).filter((name) => names.includes(name));
  const own = present(desired, observed, names);
  const foreign = own.flatMap((workload) => notOurs(desired, observed, workload));
  if (foreign.length > 0) throw new InputError(foreign);
  return steps.afterPulls([
    ...workloadPulls(desired, observed, own),
    ...own.flatMap((workload) => stepsOf(desired, observed, workload)),
    ...staleSteps(desired, observed, up),
  ]);
}

/** Those of clusters that run, as far as it is known where those are. */
const present = (desired: Desired, observed: Observed, names: readonly string[]): DesiredWorkload[] =>
  workloadsOf(
    desired,
    routable(desired, observed).filter((name) => names.includes(name)),
  ).filter(({ assumed }) => !assumed);

/** Fetches what workloads are still to be made from. */
export const workloadPulls = (desired: Desired, observed: Observed, workloads: readonly DesiredWorkload[]): RunStep[] =>
  workloads.flatMap((workload) => {
    const { container } = workloadState(desired, observed, workload);
    const wanted = container === 'absent' || container === 'stale';
    const { image } = workload.spec;
    return wanted && observed.images[image] === undefined ? [steps.pullStep(image, workload)] : [];
  });

/**
 * What a person has to know of workloads before anything happens: the risk of every proxy that is still to be made, also
 * beside a cluster that comes first, and why one beside a cluster that runs is not made.
 */
export function workloadWarnings(desired: Desired, observed: Observed, names: readonly string[]): string[] {
  const isPresent = new Set(present(desired, observed, names).map(({ name }) => name));
  const lacking = workloadsOf(desired, names).filter(
    (workload) => workload.spec.spire && workloadState(desired, observed, workload).proxy !== 'running',
  );
  const list = lacking.map(({ name }) => name).join(', ');
  return [
    ...(lacking.length > 0
      ? [
          `the key of the trust anchor goes into a container of SPIRE beside ${list}: whoever can use Docker on this engine can read it there, and with it be anybody in every mesh that trusts the anchor`,
        ]
      : []),
    ...lacking.flatMap((workload) => {
      const proxy = proxyOf(desired, observed, workload);
      const missing = proxy && 'missing' in proxy && isPresent.has(workload.name) ? proxy.missing : undefined;
      return missing === undefined ? [] : [`no proxy beside ${workload.name}: ${missing}`];
    }),
  ];
}

function notOurs({ lab }: Desired, observed: Observed, { name, cluster, spec }: DesiredWorkload): Problem[] {
  const container = observed.workloads?.find((one) => one.name === name && one.owner !== lab.uid);
  const resource = apiOf(observed, cluster)?.workloads?.find(
    (one) => one.name === name && one.namespace === spec.namespace && one.owner !== lab.uid,
  );
  const taken = [
    ...(container ? [`a container called ${name}`] : []),
    ...(resource ? [`an ExternalWorkload ${spec.namespace}/${name} in ${cluster}`] : []),
  ];
  const hint = 'choose another metadata.name, or delete that one from the folder of the lab that made it';
  return taken.map((what) => ({ at: spec.at, message: `there is ${what} of another lab`, hint }));
}

function stepsOf(desired: Desired, observed: Observed, workload: DesiredWorkload): WorkloadStep[] {
  const { container, proxy: proxied, routes, resource } = workloadState(desired, observed, workload);
  const found = observed.workloads?.find(({ name }) => name === workload.name);
  const proxy = proxyOf(desired, observed, workload);
  const makes = container === 'absent' || container === 'stale';
  const ids = (list: readonly WorkloadStep[]) => list.map(({ id }) => id);
  const proxies = makes || container === 'stopped' || proxied === 'absent' || proxied === 'stale';
  const left = found && proxies && found.sidecars.length > 0 ? [steps.unproxyStep(found)] : [];
  const removal = found && container === 'stale' ? [steps.removeStep(found)] : left;
  const made = makes
    ? [steps.runStep(desired, workload, ids(removal))]
    : container === 'stopped'
      ? [steps.startStep(workload)]
      : [];
  const change =
    made.length > 0 ? { add: workload.routes, remove: [] } : (routes ?? { add: workload.routes, remove: [] });
  const nodeImage = nodeImageOf(observed, workload.cluster);
  const routed =
    nodeImage && change.add.length + change.remove.length > 0
      ? [steps.workloadRouteStep(workload, nodeImage, change, ids(made))]
      : [];
  const before = ids([...made, ...routed]).slice(-1);
  const scene =
    proxies && proxy && !('missing' in proxy) && nodeImage ? { desired, workload, proxy, nodeImage } : undefined;
  const beside = scene ? proxySteps(scene, [...ids(removal), ...before]) : [];
  const needs = ids([...made, ...routed, ...beside]).slice(-1);
  const told = resource === 'absent' || resource === 'stale' ? steps.resourceSteps(desired, workload, needs) : [];
  return [...(scene ? sidecarPulls(scene) : []), ...removal, ...made, ...routed, ...beside, ...told];
}

/** What a cluster's nodes were made from. */
export const nodeImageOf = ({ clusters }: Observed, cluster: string): string | undefined =>
  clusters.find(({ name }) => name === cluster)?.nodes.find(({ role }) => role === 'server')?.image;

function staleSteps(desired: Desired, observed: Observed, names: readonly string[]): RunStep[] {
  const isWanted = (name: string, cluster: string) =>
    desired.workloads.some((one) => one.name === name && one.cluster === cluster);
  const containers = (observed.workloads ?? []).filter(
    ({ name, cluster, owner }) => owner === desired.lab.uid && names.includes(cluster) && !isWanted(name, cluster),
  );
  const resources = names.flatMap((cluster) =>
    (apiOf(observed, cluster)?.workloads ?? [])
      .filter(({ name, namespace, owner }) => {
        const wanted = desired.workloads.some(
          (one) => one.name === name && one.cluster === cluster && one.spec.namespace === namespace,
        );
        return owner === desired.lab.uid && !wanted;
      })
      .map((one) => steps.forgetStep(cluster, one)),
  );
  return [...containers.map(steps.removeStep), ...resources];
}

/** `lab workloads`: what is beside the clusters. */
export function planWorkloads(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const up = routable(desired, observed);
  const own = workloadsOf(desired, names);
  const clusters = (list: typeof own) => [...new Set(list.map(({ cluster }) => cluster))];
  const away = clusters(own).filter((name) => !up.includes(name));
  const silent = clusters(own.filter(({ assumed }) => assumed)).filter((name) => up.includes(name));
  const made = workloadSteps(desired, observed, names);
  const summary = `Plan: ${formatCount(own.length, 'workload')}, ${made.length === 0 ? 'nothing to do' : formatCount(made.length, 'step')}.`;
  return verbPlan('workloads', desired, made, summary, [
    ...away.map((name) => `${name} does not run: its workloads are left alone`),
    ...silent.map((name) => `${name} does not answer: its workloads are left alone`),
    ...workloadWarnings(desired, observed, names),
  ]);
}
