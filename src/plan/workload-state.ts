import type { Desired } from '../lab/desired.ts';
import type { ApiState, Observed } from '../lab/observed.ts';
import type { DesiredWorkload, ObservedWorkload } from '../lab/workload.ts';
import { proxyOf } from './desired-proxy.ts';
import { inputsOf } from './workload-steps.ts';

/** How one workload is, against what it should be. */
export interface WorkloadState {
  readonly container: 'absent' | 'stopped' | 'running' | 'stale';
  /** `none`: not asked for; `waiting`: what it is made from is not there, or was not looked at. */
  readonly proxy: 'none' | 'waiting' | 'absent' | 'running' | 'stale';
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
    proxy: proxyState(proxyOf(desired, observed, workload), found),
    routes: found?.running && found.routes ? diffRoutes(workload, found.routes) : undefined,
    resource: resourceState(desired, workload, apiOf(observed, workload.cluster)),
  };
}

function proxyState(proxy: ReturnType<typeof proxyOf>, found: ObservedWorkload | undefined): WorkloadState['proxy'] {
  if (!proxy) return 'none';
  if ('missing' in proxy) return 'waiting';
  if (found?.proxy === undefined) return 'absent';
  return found.proxy === proxy.inputs ? 'running' : 'stale';
}

export const apiOf = ({ clusters }: Observed, cluster: string): ApiState | undefined =>
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
  return found.ready && found.owner === lab.uid && found.inputs === inputsOf(workload) ? 'ready' : 'stale';
}
