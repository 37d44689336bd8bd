import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOST, type Lookup, type Probe, type ProbeTarget, type Sighting } from '../lab/reach.ts';
import { type Runner, succeeded } from '../step/runner.ts';
import { listOf, NODES_PATH, type NodeObject, type PodObject, PROBES } from '../tools/kube-api.ts';
import { COLLECT, type Flow, parseAnswers, parseFlows, probeScript, WATCH } from '../tools/probe.ts';
import { type ApiClient, connectApi } from './api-client.ts';

/** The pause image that each node of a cluster has. */
export async function readPauseImages(kubeconfig: string): Promise<ReadonlyMap<string, string>> {
  const api = await connectApi(kubeconfig);
  try {
    return new Map(
      listOf<NodeObject>(await api.get(NODES_PATH)).flatMap(({ metadata, status }) => {
        const names = status?.images?.flatMap((image) => image.names ?? []) ?? [];
        const pause = names.find((name) => /(^|[/-])pause[:@]/.test(name));
        return pause ? [[metadata.name, pause] as const] : [];
      }),
    );
  } finally {
    api.close();
  }
}

interface ServiceObject {
  readonly spec?: { readonly clusterIPs?: readonly string[] };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

/** The probes that run in a cluster, the addresses of its pool that they got (`pools` of them), and its DNS. */
export async function readProbeTarget(cluster: string, kubeconfig: string, pools: number): Promise<ProbeTarget> {
  const api = await connectApi(kubeconfig);
  try {
    const [pods, dns, pool] = await Promise.all([
      api.get(`/api/v1/namespaces/${PROBES}/pods`),
      api.get('/api/v1/namespaces/kube-system/services/kube-dns'),
      poolAddresses(api, pools),
    ]);
    const service = (await api.get(`/api/v1/namespaces/${PROBES}/services/pool`)) as ServiceObject | undefined;
    return {
      cluster,
      pods: listOf<PodObject>(pods).map(({ metadata, status }) => ({
        cluster,
        node: metadata.name,
        addresses: status?.podIPs?.map(({ ip }) => ip) ?? [],
      })),
      pool,
      services: service?.spec?.clusterIPs ?? [],
      dns: (dns as ServiceObject | undefined)?.spec?.clusterIPs ?? [],
    };
  } finally {
    api.close();
  }
}

/** A controller takes a moment to hand out addresses, and a speaker another to announce them. */
async function poolAddresses(api: ApiClient, count: number): Promise<string[]> {
  for (let tries = 0; ; tries += 1) {
    const service = (await api.get(`/api/v1/namespaces/${PROBES}/services/pool`)) as ServiceObject | undefined;
    const ips = service?.status?.loadBalancer?.ingress?.flatMap(({ ip }) => (ip ? [ip] : [])) ?? [];
    if (ips.length >= count || tries === 20) return ips;
    await sleep(500);
  }
}

export interface Measured {
  readonly sightings: ReadonlyMap<number, Sighting>;
  readonly lookups: ReadonlyMap<number, boolean>;
  /** Nodes that could not do it, and why. */
  readonly problems: ReadonlyMap<string, string>;
}

/** Does all probes and lookups, with three processes a node: one notes what arrives, one asks, one collects the notes. */
export async function measure(
  { asking, noting }: { readonly asking: Runner; readonly noting: Runner },
  probes: readonly Probe[],
  lookups: readonly Lookup[],
): Promise<Measured> {
  const problems = new Map<string, string>();
  const exec = async (runner: Runner, node: string, script: string): Promise<string> => {
    const outcome = await runner.run({ argv: ['docker', 'exec', '-i', node, 'sh'], stdin: script, timeout: 120 });
    if (!succeeded(outcome)) problems.set(node, outcome.stderr.split('\n').at(-1) || outcome.failure || 'it failed');
    return outcome.stdout;
  };
  const targets = [...new Set(probes.flatMap(({ arrivesOn }) => arrivesOn))];
  await Promise.all(targets.map((node) => exec(noting, node, WATCH)));
  const nodes = [...new Set([...probes, ...lookups].map(({ node }) => node))];
  const of = <T extends { readonly node: string }>(list: readonly T[], node: string) =>
    list.filter((one) => one.node === node);
  const answers = await collect(nodes, async (node) =>
    node === HOST
      ? askFromHere(of(probes, node))
      : parseAnswers(await exec(asking, node, probeScript(of(probes, node), of(lookups, node)))),
  );
  const flows = await collect(targets, async (node) => parseFlows(await exec(noting, node, COLLECT)));
  return {
    sightings: new Map(probes.map((probe) => [probe.id, sighting(probe, answers.get(probe.node), flows)])),
    lookups: new Map(lookups.map(({ id, node }) => [id, answers.get(node)?.get(`l${id}`) === 'answered'])),
    problems,
  };
}

const collect = async <T>(
  nodes: readonly string[],
  read: (node: string) => Promise<T>,
): Promise<ReadonlyMap<string, T>> =>
  new Map(await Promise.all(nodes.map(async (node) => [node, await read(node)] as const)));

function sighting(
  probe: Probe,
  answers: ReturnType<typeof parseAnswers> | undefined,
  flows: ReadonlyMap<string, Flow[]>,
): Sighting {
  const said = answers?.get(`p${probe.id}`);
  const source = probe.arrivesOn
    .flatMap((node) => flows.get(node) ?? [])
    .find(
      ({ source, destination, port }) =>
        destination === probe.address && port === probe.port && (probe.sources?.includes(source) ?? true),
    )?.source;
  return { answer: said === undefined || said === 'lost' ? 'silent' : said, ...(source && { source }) };
}

/** The same from this machine, which has no pod. */
const askFromHere = async (probes: readonly Probe[]): Promise<ReadonlyMap<string, Sighting['answer']>> =>
  new Map(await Promise.all(probes.map(async (probe) => [`p${probe.id}`, await ask(probe)] as const)));

async function ask(probe: Probe): Promise<Sighting['answer']> {
  for (let left = probe.tries ?? 1; left > 0; left -= 1) {
    const answer = await tryToConnect(probe);
    if (answer !== 'silent') return answer;
    await sleep(1000);
  }
  return 'silent';
}

const tryToConnect = ({ address, port }: Probe): Promise<Sighting['answer']> =>
  new Promise((done) => {
    const socket = connect({ host: address, port, timeout: 3000 });
    const end = (answer: Sighting['answer']) => {
      socket.destroy();
      done(answer);
    };
    socket.on('connect', () => end('answered'));
    socket.on('timeout', () => end('silent'));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED' ? 'refused' : 'silent'));
  });
