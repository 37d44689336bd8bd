import type { WaitFor } from '../step/step.ts';
import {
  type ContainerStatus,
  isSettled,
  listOf,
  type PodObject,
  pathOf,
  selectorOf,
  troubleOf,
} from '../tools/kube-api.ts';
import type { ApiClient } from './api-client.ts';
import { readWorkloads } from './workloads.ts';

const SHOWN_LINES = 5;
const SHOWN_LENGTH = 200;

/** Why a workload is not ready, in lines: its first pod that is not, that pod's last events, and the end of its log. */
export async function describePodTrouble(api: ApiClient, wait: WaitFor): Promise<string[]> {
  if (wait.resource === 'workloads') {
    const first = (await readWorkloads(api, wait.selector)).find((one) => !isSettled(one));
    if (!first) return [];
    const { name, namespace = 'default' } = first.object.metadata;
    return describePodTrouble(api, { resource: first.kind, namespace, name });
  }
  if (!('name' in wait)) return [];
  const selector = selectorOf(await api.get(pathOf(wait)));
  if (selector === undefined) return [];
  const namespace = `/api/v1/namespaces/${wait.namespace}`;
  const pods = listOf<PodObject>(await api.get(`${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`));
  const [pod] = pods.filter((one) => troubleOf(one) !== undefined);
  if (!pod)
    return pods.length === 0
      ? [`it has no pod; its last events:\n  ${await lastEvents(api, namespace, wait.name)}`]
      : [];
  const { name } = pod.metadata;
  const trouble = troubleOf(pod);
  return [
    `pod ${name}: ${trouble?.text.slice(0, SHOWN_LENGTH)}`,
    `its last events:\n  ${await lastEvents(api, namespace, name)}`,
    ...(trouble?.container ? await endOfLog(api, `${namespace}/pods/${name}`, trouble.container) : []),
  ];
}

interface EventObject {
  readonly message?: string;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

async function lastEvents(api: ApiClient, namespace: string, name: string): Promise<string> {
  const events = listOf<EventObject>(
    await api.get(`${namespace}/events?fieldSelector=${encodeURIComponent(`involvedObject.name=${name}`)}`),
  );
  const time = ({ lastTimestamp, eventTime }: EventObject) => lastTimestamp ?? eventTime ?? '';
  const sorted = events.toSorted((a, b) => (time(a) < time(b) ? -1 : 1));
  const messages = new Set(sorted.flatMap(({ message }) => message?.trim().slice(0, SHOWN_LENGTH) ?? []));
  return messages.size === 0 ? 'none' : [...messages].slice(-SHOWN_LINES).join('\n  ');
}

/** Of the container that runs, or of the one before it that ended. */
async function endOfLog(api: ApiClient, pod: string, { name, restartCount }: ContainerStatus): Promise<string[]> {
  const query = new URLSearchParams({
    container: name,
    tailLines: String(SHOWN_LINES),
    ...((restartCount ?? 0) > 0 && { previous: 'true' }),
  });
  // A container that never started has no log: the server says no.
  const text = await api.getText(`${pod}/log?${query}`).catch(() => undefined);
  const lines = text?.trim().split('\n') ?? [];
  return text?.trim() ? [`log of ${name}:`, ...lines.map((line) => `  ${line}`)] : [];
}
