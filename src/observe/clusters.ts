import type { Cluster } from '../lab/lab.ts';
import type { AppliedCluster, DockerNetwork, NodeContainer, ObservedCluster } from '../lab/observed.ts';
import { NETWORK_LABELS, ownerOf, RECORD_FILE } from '../lab/ownership.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { ClusterRanges, Provider } from '../providers/provider.ts';
import type { Runner } from '../step/runner.ts';
import type { Container } from '../tools/docker.ts';
import { type Restarts, restartsOf } from '../tools/node-restart.ts';
import { type AppHashes, askApi, parseRecord } from './api-state.ts';
import { readCertificates } from './certificates.ts';
import { type ExistingAccess, observeExisting } from './existing.ts';
import { readFileOf } from './node-file.ts';

/** The credentials that this lab keeps for one of its clusters. */
export interface PrivateKubeconfig {
  readonly text: string;
  readonly ca: string;
  readonly server: string;
}

export interface ClusterInput {
  readonly runner: Runner;
  readonly containers: readonly Container[];
  readonly networks: readonly DockerNetwork[];
  readonly uid: string;
  /** Whether ranges may have to be chosen for these clusters of the lab; none when the verb chooses nothing. */
  readonly choosingFor: readonly string[];
  readonly privateKubeconfig: (cluster: string) => Promise<PrivateKubeconfig | undefined>;
  /** Clusters that are there already and that the specs take in. */
  readonly existing: readonly Cluster[];
  readonly existingAccess: (cluster: Cluster) => Promise<ExistingAccess>;
  /** Whether Linkerd and its links are looked at. */
  readonly readsMesh: boolean;
  /** The hashes of the apps of a cluster, where apps are looked at. */
  readonly appHashes?: (cluster: string) => AppHashes;
  /** Whether external workloads are looked at. */
  readonly readsWorkloads?: boolean;
}

interface Group {
  readonly provider: Provider;
  readonly name: string;
  readonly containers: Container[];
  readonly nodes: NodeContainer[];
  owner?: string;
}

/**
 * Every kind and k3d cluster of the engine, stopped ones too, whoever made it. Ranges of clusters that are not this
 * lab's cost a process each: they are read only when one of its own needs a new range.
 */
export async function observeClusters(input: ClusterInput): Promise<ObservedCluster[]> {
  const all = groupNodes(input);
  const taken = await Promise.all(
    input.existing.map(async (cluster) =>
      observeExisting({
        ...{ cluster, access: await input.existingAccess(cluster), groups: all, uid: input.uid },
        readsMesh: input.readsMesh,
        appHashes: input.appHashes?.(cluster.name),
        rangesOf: async (group) => (await readForeign(group, input.runner)).ranges ?? {},
      }),
    ),
  );
  // Nodes of a cluster that is taken in are known by its name in this lab.
  const groups = all.filter((group) => !taken.some((one) => one.group === group && group.owner !== input.uid));
  const own = await Promise.all(
    groups.filter(({ owner }) => owner === input.uid).map((group) => observeOwn(group, input)),
  );
  const settled = new Set(own.flatMap(({ name, applied }) => (applied ? [name] : [])));
  const choosing = input.choosingFor.some((name) => !settled.has(name));
  const others = groups.filter(({ owner }) => owner !== input.uid);
  const foreign = await Promise.all(
    others.map(async (group) => ({ ...baseOf(group), ...(choosing ? await readForeign(group, input.runner) : {}) })),
  );
  const byName = [...own, ...foreign].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...taken.map(({ cluster }) => cluster), ...byName];
}

function groupNodes({ containers, networks }: Pick<ClusterInput, 'containers' | 'networks'>): Group[] {
  const groups = new Map<string, Group>();
  for (const container of containers) {
    for (const provider of Object.values(PROVIDERS)) {
      const found = provider.recognise(container);
      if (!found) continue;
      const key = `${provider.name}/${found.cluster}`;
      const group: Group = groups.get(key) ?? { provider, name: found.cluster, containers: [], nodes: [] };
      const { name, running, since, image, networks, hostPorts } = container;
      group.containers.push(container);
      const owner = ownerOf(container.mountTargets);
      if (owner !== undefined) group.owner = owner;
      group.nodes.push({ name, role: found.role, running, image, networks, hostPorts, ...(since && { since }) });
      groups.set(key, group);
    }
  }
  const byName = (a: { readonly name: string }, b: { readonly name: string }) => (a.name < b.name ? -1 : 1);
  for (const group of groups.values()) {
    group.nodes.sort(byName);
    group.containers.sort(byName);
    // A provider's helper carries no mark: where nothing else is left, it is whose the network is.
    const owner = group.nodes.every(({ role }) => role === 'proxy') && ownerOfNetwork(networks, group.nodes);
    if (owner) group.owner ??= owner;
  }
  return [...groups.values()];
}

/** The lab that made a network which these containers are on. */
const ownerOfNetwork = (networks: readonly DockerNetwork[], nodes: readonly NodeContainer[]): string | undefined => {
  const names = nodes.flatMap((node) => Object.keys(node.networks));
  return networks.find(({ name }) => names.includes(name))?.labels[NETWORK_LABELS.uid];
};

const baseOf = ({ provider, name, nodes, owner }: Group): ObservedCluster => ({
  provider: provider.name,
  name,
  nodes,
  ...(owner !== undefined && { owner }),
});

const serversOf = ({ provider, containers }: Group): Container[] =>
  containers.filter((container) => provider.recognise(container)?.role === 'server');

async function observeOwn(group: Group, input: ClusterInput): Promise<ObservedCluster> {
  const kubeconfig = await input.privateKubeconfig(group.name);
  const running = group.nodes.some((node) => node.running);
  const answer =
    kubeconfig && running
      ? await askApi(kubeconfig.text, {
          uid: input.uid,
          mesh: input.readsMesh,
          apps: input.appHashes?.(group.name),
          workloads: input.readsWorkloads ?? false,
          restarts: recentRestarts(group.nodes),
        })
      : undefined;
  const record = answer?.applied ? { applied: answer.applied } : await readRecord(serversOf(group), input.runner);
  const { applied, unreadable } = record;
  // What is left of one that was never ready holds its ranges until it is gone.
  const ranges = applied
    ? { pods: applied.pods, services: applied.services }
    : await readRangesAsMade(group, input.runner);
  const certificates = answer && (await readCertificates(group.provider, serversOf(group), answer, input.runner));
  return {
    ...baseOf(group),
    ...(unreadable !== undefined && { unreadable }),
    ...(applied && { applied }),
    ...(ranges && { ranges }),
    ...(answer && { api: answer.state, ...(!answer.applied && { unmarked: true }) }),
    ...(certificates && { certificates }),
    ...(kubeconfig && { credentials: { ca: kubeconfig.ca, server: kubeconfig.server } }),
  };
}

/** Seconds after a start in which what an API server says may still be from before it: it costs two more requests. */
const RECENT = 600;

const recentRestarts = (nodes: readonly NodeContainer[]): Restarts =>
  restartsOf(nodes.filter(({ since = '' }) => Date.now() - Date.parse(since) < RECENT * 1000));

async function readForeign(
  group: Group,
  runner: Runner,
): Promise<{ readonly applied?: AppliedCluster; readonly ranges?: ClusterRanges }> {
  const { applied } = group.owner === undefined ? {} : await readRecord(serversOf(group), runner);
  if (applied) return { applied, ranges: { pods: applied.pods, services: applied.services } };
  const ranges = await readRangesAsMade(group, runner);
  return ranges ? { ranges } : {};
}

/** The ranges of a cluster as what made it left them on its first server. */
async function readRangesAsMade(group: Group, runner: Runner): Promise<ClusterRanges | undefined> {
  const { provider } = group;
  const [server] = serversOf(group);
  if (!server) return undefined;
  const copy = provider.rangesFile === undefined ? {} : await readFileOf(server, provider.rangesFile, runner);
  return provider.readRanges({ container: server, ...(copy.text !== undefined && { file: copy.text }) });
}

interface RecordOnNode {
  readonly applied?: AppliedCluster;
  /** Why nothing can be said: that is not the same as a cluster that was never ready. */
  readonly unreadable?: string;
}

/** The record on the first server that has one. */
async function readRecord(servers: readonly Container[], runner: Runner): Promise<RecordOnNode> {
  let unreadable: string | undefined;
  for (const server of servers) {
    const { text, problem } = await readFileOf(server, RECORD_FILE, runner);
    const applied = text === undefined ? undefined : parseRecord(text);
    if (applied) return { applied };
    if (text !== undefined) unreadable ??= `${RECORD_FILE} on ${server.name} is of another version of lab, or damaged`;
    else if (problem !== undefined) unreadable ??= problem;
  }
  return unreadable === undefined ? {} : { unreadable };
}
