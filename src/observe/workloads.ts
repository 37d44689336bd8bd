import type { WaitFor } from '../step/step.ts';
import {
  judge,
  judgeWorkloads,
  listOf,
  pathOf,
  WORKLOAD_KINDS,
  type Workload,
  workloadsPath,
} from '../tools/kube-api.ts';
import type { ApiClient } from './api-client.ts';

/** Every deployment, daemon set and stateful set with these labels. */
export async function readWorkloads(api: ApiClient, selector: string): Promise<Workload[]> {
  const lists = await Promise.all(
    WORKLOAD_KINDS.map(async (kind) =>
      listOf<Workload['object']>(await api.get(workloadsPath(kind, selector))).map((object) => ({ kind, object })),
    ),
  );
  return lists.flat();
}

/** Whether a wait is over, and what was seen last for the message when it never is. */
export const lookAt = async (
  api: ApiClient,
  wait: WaitFor,
): Promise<{ readonly done: boolean; readonly seen: string }> =>
  wait.resource === 'workloads'
    ? judgeWorkloads(await readWorkloads(api, wait.selector))
    : judge(wait, await api.get(pathOf(wait)));
