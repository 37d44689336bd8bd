import { setTimeout as sleep } from 'node:timers/promises';
import type { MeshRequest, MeshSighting } from '../lab/reach.ts';
import type { Runner } from '../step/runner.ts';
import { succeeded } from '../step/runner.ts';
import { MESH_PROBES, type PodObject, PROBE_PORT } from '../tools/kube-api.ts';
import { probeScript } from '../tools/probe.ts';
import { type ProxyRequests, parseProxyRequests } from '../tools/proxy-metrics.ts';
import { type ApiClient, connectApi } from './api-client.ts';

/** Tries of everything that takes a moment: a mirrored service appears, a proxy learns of it. */
const TRIES = 20;
const PAUSE_MS = 500;

const { namespace, pod } = MESH_PROBES;
const POD_PATH = `/api/v1/namespaces/${namespace}/pods/${pod}`;
const METRICS_PATH = `/api/v1/namespaces/${namespace}/pods/${pod}:4191/proxy/metrics`;

interface Place {
  readonly node: string;
  readonly address: string;
}

/**
 * Sends requests from the pods in the mesh to mirrored services, and asks the proxies at both ends who was there.
 * `kubeconfigs` by cluster, of those whose probe runs.
 */
export async function measureMesh(
  runner: Runner,
  kubeconfigs: ReadonlyMap<string, string>,
  requests: readonly MeshRequest[],
): Promise<MeshSighting[]> {
  const apis = new Map<string, ApiClient>();
  for (const [name, text] of kubeconfigs) apis.set(name, await connectApi(text));
  try {
    return await Promise.all(requests.map((request) => measureOne(runner, apis, request)));
  } finally {
    for (const api of apis.values()) api.close();
  }
}

async function measureOne(
  runner: Runner,
  apis: ReadonlyMap<string, ApiClient>,
  { from, to, service }: MeshRequest,
): Promise<MeshSighting> {
  const ends = { from, to };
  const unmeasured = (problem: string): MeshSighting => ({ ...ends, problem, unmeasured: true });
  const [near, far] = [apis.get(from), apis.get(to)];
  if (!near || !far) return unmeasured(`no probe runs in ${near ? to : from}`);
  try {
    const place = await placeOf(near);
    if (!place) return unmeasured(`the probe of ${from} got no proxy`);
    if (!(await placeOf(far))) return unmeasured(`the probe of ${to} got no proxy`);
    const address = await addressOf(near, service);
    if (!address)
      return { ...ends, problem: `${namespace}/${service} was not mirrored within ${(TRIES * PAUSE_MS) / 1000} s` };
    let sent: ProxyRequests | undefined;
    for (let left = TRIES; left > 0; left -= 1) {
      await ask(runner, place, address);
      sent = (await requestsOf(near, 'outbound')).find(({ authority }) =>
        authority?.startsWith(`${service}.${namespace}.`),
      );
      const arrived = (await requestsOf(far, 'inbound')).filter(({ client }) => client !== undefined);
      const client = (arrived.find((one) => one.client?.startsWith(`${from}.${namespace}.`)) ?? arrived[0])?.client;
      if (sent?.tls && client) return { ...ends, client, ...(sent.server && { server: sent.server }) };
      await sleep(PAUSE_MS);
    }
    return { ...ends, ...(sent?.server && { server: sent.server }), problem: describeMissing(sent, service, to) };
  } catch (error) {
    return unmeasured(error instanceof Error ? error.message : String(error));
  }
}

function describeMissing(sent: ProxyRequests | undefined, service: string, to: string): string {
  if (!sent) return `no request for ${service} left the proxy: it found nobody to ask`;
  return sent.tls
    ? `the request left the proxy, and none arrived at the probe of ${to}`
    : `the request left without TLS (${sent.noTls ?? 'the proxy does not say why'})`;
}

/** Where the probe is; undefined when nobody put a proxy into it. */
async function placeOf(api: ApiClient): Promise<Place | undefined> {
  const { spec, status } = ((await api.get(POD_PATH)) ?? {}) as PodObject & {
    readonly spec?: { readonly nodeName?: string };
  };
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const address = status?.podIPs?.[0]?.ip;
  const isMeshed = statuses.some(({ name }) => name === 'linkerd-proxy');
  return isMeshed && address && spec?.nodeName ? { node: spec.nodeName, address } : undefined;
}

async function addressOf(api: ApiClient, service: string): Promise<string | undefined> {
  for (let left = TRIES; left > 0; left -= 1) {
    const found = (await api.get(`/api/v1/namespaces/${namespace}/services/${service}`)) as
      | { readonly spec?: { readonly clusterIP?: string } }
      | undefined;
    if (found?.spec?.clusterIP) return found.spec.clusterIP;
    await sleep(PAUSE_MS);
  }
  return undefined;
}

/** The pod's namespace sends everything through its proxy, whoever asks in it. */
async function ask(runner: Runner, { node, address: podAddress }: Place, address: string): Promise<void> {
  const probe = { id: 0, node, pod: podAddress, address, port: PROBE_PORT, arrivesOn: [] };
  const outcome = await runner.run({
    argv: ['docker', 'exec', '-i', node, 'sh'],
    stdin: probeScript([probe], []),
    timeout: 30,
  });
  if (!succeeded(outcome)) throw new Error(outcome.stderr.split('\n').at(-1) || outcome.failure || 'it failed');
}

const requestsOf = async (api: ApiClient, direction: ProxyRequests['direction']): Promise<ProxyRequests[]> =>
  parseProxyRequests((await api.getText(METRICS_PATH, 10)) ?? '').filter((one) => one.direction === direction);
