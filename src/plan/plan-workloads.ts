import { InputError, type Problem } from '../errors.ts';
import type { Desired } from '../lab/desired.ts';
import type { ApiState, Observed } from '../lab/observed.ts';
import type { DesiredWorkload, ObservedWorkload } from '../lab/workload.ts';
import type { Plan, RunStep } from '../step/step.ts';
import { workloadsOf } from './resolve-workloads.ts';
import { routable } from './routable.ts';
import * as steps from './workload-steps.ts';

/** How one workload is, against what it should be. */
export interface WorkloadState {
  readonly container: 'absent' | 'stopped' | 'running' | 'stale';
  /** Routes that are missing, and ours that nobody wants any more; undefined while they are not known. */
  readonly routes: { readonly add: DesiredWorkload['routes']; readonly remove: DesiredWorkload['routes'] } | undefined;
  /** `unknown`: no API server, or no such kind of resource in it. */
  readonly resource: 'absent' | 'stale' | 'ready' | 'unknown';
}

/** What is there of a workload. */
export function workloadState(desired: Desired, observed: Observed, workload: DesiredWorkload): WorkloadState {
  const found = observed.workloads?.find(({ name }) => name === workload.name);
  return {
    container: containerState(desired, workload, found),
    routes: found?.running && found.routes ? diffRoutes(workload, found.routes) : undefined,
    resource: resourceState(desired, workload, apiOf(observed, workload.cluster)),
  };
}

const apiOf = ({ clusters }: Observed, cluster: string): ApiState | undefined =>
  clusters.find(({ name }) => name === cluster)?.api;

function containerState(desired: Desired, workload: DesiredWorkload, found: ObservedWorkload | undefined) {
  if (!found) return 'absent';
  const same =
    found.digest === workload.spec.digest &&
    found.network === desired.network.name &&
    found.addresses.join() === workload.addresses.map(({ address }) => address).join();
  return same ? (found.running ? 'running' : 'stopped') : 'stale';
}

function diffRoutes({ routes }: DesiredWorkload, have: NonNullable<ObservedWorkload['routes']>) {
  const destinations = new Set(routes.map(({ destination }) => destination));
  return {
    add: routes.filter((one) => !have.some((is) => is.destination === one.destination && is.via === one.via)),
    remove: have.filter(({ ours, destination }) => ours && !destinations.has(destination)),
  };
}

function resourceState({ lab }: Desired, workload: DesiredWorkload, api: ApiState | undefined) {
  if (!api?.workloads) return 'unknown';
  const found = api.workloads.find(
    ({ name, namespace }) => name === workload.name && namespace === workload.spec.namespace,
  );
  if (!found) return 'absent';
  return found.ready && found.owner === lab.uid && found.inputs === steps.inputsOf(workload) ? 'ready' : 'stale';
}

/**
 * Containers, routes and resources of the workloads of clusters that run, and what is left of those that are gone.
 * @throws InputError for a workload whose name is taken by another lab's
 */
export function workloadSteps(desired: Desired, observed: Observed, names: readonly string[]): RunStep[] {
  const up = routable(desired, observed).filter((name) => names.includes(name));
  const own = workloadsOf(desired, up).filter(({ assumed }) => !assumed);
  const foreign = own.flatMap((workload) => notOurs(desired, observed, workload));
  if (foreign.length > 0) throw new InputError(foreign);
  return [...own.flatMap((workload) => stepsOf(desired, observed, workload)), ...staleSteps(desired, observed, up)];
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

function stepsOf(desired: Desired, observed: Observed, workload: DesiredWorkload): RunStep[] {
  const { container, routes, resource } = workloadState(desired, observed, workload);
  const { image } = workload.spec;
  const removal = container === 'stale' ? [steps.removeStep(workload.name, workload.cluster)] : [];
  const makes = container === 'absent' || container === 'stale';
  const pull = makes && observed.images[image] === undefined ? [steps.pullStep(image, workload)] : [];
  const ids = (list: readonly RunStep[]) => list.map(({ id }) => id);
  const made = makes
    ? [steps.runStep(desired, workload, ids([...pull, ...removal]))]
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
  const needs = ids([...made, ...routed]).slice(-1);
  const told = resource === 'absent' || resource === 'stale' ? steps.resourceSteps(desired, workload, needs) : [];
  return [...pull, ...removal, ...made, ...routed, ...told];
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
  return [...containers.map(({ name, cluster }) => steps.removeStep(name, cluster)), ...resources];
}

/** `lab workloads`: what is beside the clusters. */
export function planWorkloads(desired: Desired, observed: Observed, names: readonly string[]): Plan {
  const up = routable(desired, observed);
  const own = workloadsOf(desired, names);
  const clusters = (list: typeof own) => [...new Set(list.map(({ cluster }) => cluster))];
  const away = clusters(own).filter((name) => !up.includes(name));
  const silent = clusters(own.filter(({ assumed }) => assumed)).filter((name) => up.includes(name));
  const made = workloadSteps(desired, observed, names);
  return {
    version: 1,
    lab: { name: desired.lab.name, uid: desired.lab.uid },
    verb: 'workloads',
    summary: `Plan: ${own.length} workloads, ${made.length === 0 ? 'nothing to do' : `${made.length} steps`}.`,
    warnings: [
      ...desired.warnings,
      ...away.map((name) => `${name} does not run: its workloads are left alone`),
      ...silent.map((name) => `${name} does not answer: its workloads are left alone`),
    ],
    steps: made,
  };
}
