import { setTimeout as sleep } from 'node:timers/promises';
import type { Check, CheckResult } from '../lab/checks.ts';
import { type Runner, succeeded } from '../step/runner.ts';
import { checkScript, parseCheck } from '../tools/check-script.ts';
import { isReady, listOf, type PodObject } from '../tools/kube-api.ts';
import { connectApi } from './api-client.ts';

interface Asker {
  readonly node: string;
  readonly pod: string;
  readonly address: string;
  readonly dns: string;
}

/** Asks again every two seconds until what is expected comes, or the check's time is over. */
export async function runCheck(
  check: Check,
  { kubeconfig, domain, runner }: { readonly kubeconfig: string; readonly domain: string; readonly runner: Runner },
): Promise<CheckResult> {
  const { name, from, request, within } = check;
  const result = { kind: 'check', name, from: `${from.cluster}/${from.namespace}/${from.pod}`, request } as const;
  const deadline = performance.now() + within * 1000;
  for (;;) {
    const reason = await findAsker(kubeconfig, check)
      .then(async (asker) => (typeof asker === 'string' ? asker : ask(check, asker, domain, runner)))
      .catch((error: unknown) => `the API server of ${from.cluster} does not answer: ${(error as Error).message}`);
    if (reason === undefined) return { ...result, result: 'ok' };
    if (performance.now() > deadline) return { ...result, result: 'failed', reason };
    await sleep(2000);
  }
}

/** A pod that can ask, or why there is none. */
async function findAsker(kubeconfig: string, { from }: Check): Promise<Asker | string> {
  const api = await connectApi(kubeconfig);
  try {
    const [pods, service] = await Promise.all([
      api.get(`/api/v1/namespaces/${from.namespace}/pods`),
      api.get('/api/v1/namespaces/kube-system/services/kube-dns'),
    ]);
    const dns = (service as { spec?: { clusterIPs?: readonly string[] } } | undefined)?.spec?.clusterIPs?.[0];
    const pod = listOf<PodObject>(pods).find((one) => one.metadata.name.startsWith(from.pod) && isReady(one));
    const address = pod?.status?.podIPs?.[0]?.ip;
    if (!pod?.spec?.nodeName || !address)
      return `no pod ${from.pod}... is ready in namespace ${from.namespace} of ${from.cluster}`;
    if (!dns) return `${from.cluster} has no service kube-dns`;
    return { node: pod.spec.nodeName, pod: pod.metadata.name, address, dns };
  } finally {
    api.close();
  }
}

/** Why an answer is not what is expected; undefined when it is. */
async function ask(check: Check, asker: Asker, domain: string, runner: Runner): Promise<string | undefined> {
  const { request, expect, from } = check;
  const outcome = await runner.run({
    argv: ['docker', 'exec', '-i', asker.node, 'sh'],
    stdin: checkScript({ ...asker, namespace: from.namespace, domain }, request),
    timeout: 60,
  });
  if (!succeeded(outcome))
    return `${asker.node}: ${outcome.stderr.split('\n').at(-1) || outcome.failure || 'it failed'}`;
  const answer = parseCheck(outcome.stdout);
  if ('silent' in answer) return `${asker.pod} got no answer: ${answer.silent}`;
  if (answer.status !== expect.status) return `${asker.pod} got ${answer.status}, not ${expect.status}`;
  if (expect.contains !== undefined && !answer.body.includes(expect.contains))
    return `${asker.pod} got an answer without "${expect.contains}"`;
  return undefined;
}
