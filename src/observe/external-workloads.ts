import { type ObservedWorkload, sidecarsOf, WORKLOAD_LABELS, type WorkloadResource } from '../lab/workload.ts';
import { type Runner, succeeded } from '../step/runner.ts';
import type { Container } from '../tools/docker.ts';
import { inNetworkOf } from '../tools/docker.ts';
import { parseRoutes } from '../tools/ip-route.ts';
import { EXTERNAL_WORKLOAD, isReady, listOf, type NodeObject } from '../tools/kube-api.ts';
import { isProxyReady } from '../tools/linkerd-proxy.ts';
import type { ApiClient } from './api-client.ts';

/** Containers of workloads, whoever's, stopped ones too. */
export function findWorkloads(containers: readonly Container[]): ObservedWorkload[] {
  const label = ({ labels }: Container, key: keyof typeof WORKLOAD_LABELS) => labels[WORKLOAD_LABELS[key]] ?? '';
  const names = new Set(containers.map((one) => label(one, 'name')).filter(Boolean));
  return [...names].flatMap((name): ObservedWorkload[] => {
    const own = containers.find((one) => one.name === name && label(one, 'name') === name);
    const beside = Object.values(sidecarsOf(name)).flatMap(
      (sidecar) => containers.find((one) => one.name === sidecar && label(one, 'name') === name) ?? [],
    );
    const some = own ?? beside[0];
    if (!some) return [];
    const proxy = beside.map((one) => label(one, 'proxy')).find(Boolean);
    const whole = beside.length === Object.keys(sidecarsOf(name)).length && beside.every(({ running }) => running);
    return [
      {
        name,
        cluster: label(some, 'cluster'),
        owner: label(some, 'uid'),
        running: own?.running ?? false,
        digest: own ? label(own, 'digest') : '',
        network: own ? label(own, 'network') : '',
        addresses: own ? label(own, 'addresses').split(',').filter(Boolean) : [],
        sidecars: beside.map((one) => one.name),
        ...(whole && proxy !== undefined && { proxy }),
      },
    ];
  });
}

const PROXIED = 'the proxy has its identity';

/**
 * The routes of a container, and whether its proxy has an identity, with the programs of a node's image: its own may have
 * none. One process each.
 */
export async function readWorkloadRoutes(
  runner: Runner,
  workloads: readonly ObservedWorkload[],
  imageOf: (cluster: string) => string | undefined,
): Promise<ObservedWorkload[]> {
  return Promise.all(
    workloads.map(async (workload) => {
      const image = imageOf(workload.cluster);
      if (!workload.running || image === undefined) return workload;
      const { proxy, ...rest } = workload;
      const ask = proxy === undefined ? '' : `; if ${isProxyReady}; then echo ${PROXIED}; fi`;
      const argv = [...inNetworkOf(workload.name, image), '-c', `ip -4 route show; ip -6 route show${ask}`];
      const outcome = await runner.run({ argv, timeout: 60 });
      if (!succeeded(outcome)) return workload;
      const routes = parseRoutes(outcome.stdout);
      return { ...rest, ...(proxy !== undefined && outcome.stdout.includes(PROXIED) && { proxy }), routes };
    }),
  );
}

/** The external workloads of labs that a cluster knows; undefined where it knows no such resource. */
export async function readWorkloadResources(api: ApiClient): Promise<WorkloadResource[] | undefined> {
  const list = await api.get(EXTERNAL_WORKLOAD.path);
  if (list === undefined) return undefined;
  return listOf<NodeObject>(list).flatMap((object) => {
    const { name, namespace = '', annotations, labels } = object.metadata;
    const owner = labels?.[EXTERNAL_WORKLOAD.label];
    if (owner === undefined) return [];
    const inputs = annotations?.[EXTERNAL_WORKLOAD.annotation] ?? '';
    return [{ name, namespace, owner, inputs, ready: isReady(object) }];
  });
}
