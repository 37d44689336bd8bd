import { type ObservedWorkload, WORKLOAD_LABELS, type WorkloadResource } from '../lab/workload.ts';
import { type Runner, succeeded } from '../step/runner.ts';
import type { Container } from '../tools/docker.ts';
import { inNetworkOf } from '../tools/docker.ts';
import { parseRoutes } from '../tools/ip-route.ts';
import { EXTERNAL_WORKLOAD, isReady, listOf, type NodeObject } from '../tools/kube-api.ts';
import type { ApiClient } from './api-client.ts';

/** Containers of workloads, whoever's, stopped ones too. */
export function findWorkloads(containers: readonly Container[]): ObservedWorkload[] {
  return containers.flatMap(({ name, labels, running }) => {
    const label = (key: keyof typeof WORKLOAD_LABELS) => labels[WORKLOAD_LABELS[key]] ?? '';
    if (label('name') !== name) return [];
    return [
      {
        name,
        cluster: label('cluster'),
        owner: label('uid'),
        running,
        digest: label('digest'),
        network: label('network'),
        addresses: label('addresses').split(',').filter(Boolean),
      },
    ];
  });
}

/** The routes of a container, with the programs of a node's image: its own may have none. One process each. */
export async function readWorkloadRoutes(
  runner: Runner,
  workloads: readonly ObservedWorkload[],
  imageOf: (cluster: string) => string | undefined,
): Promise<ObservedWorkload[]> {
  return Promise.all(
    workloads.map(async (workload) => {
      const image = imageOf(workload.cluster);
      if (!workload.running || image === undefined) return workload;
      const argv = [...inNetworkOf(workload.name, image), '-c', 'ip -4 route show; ip -6 route show'];
      const outcome = await runner.run({ argv, timeout: 60 });
      return succeeded(outcome) ? { ...workload, routes: parseRoutes(outcome.stdout) } : workload;
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
