import type { AppliedCluster, NodeContainer, ObservedCluster } from '../lab/observed.ts';
import { ownerOf, RECORD_FILE } from '../lab/ownership.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { ClusterRanges, Provider } from '../providers/provider.ts';
import { type Runner, succeeded } from '../step/runner.ts';
import { type Container, copyFromArgv } from '../tools/docker.ts';
import { parseRecord, readApiState } from './api-state.ts';
import { firstFileOfTar } from './tar.ts';

/** The credentials that this lab keeps for one of its clusters. */
export interface PrivateKubeconfig {
  readonly text: string;
  readonly ca: string;
  readonly server: string;
}

export interface ClusterInput {
  readonly runner: Runner;
  readonly containers: readonly Container[];
  readonly uid: string;
  /** Whether ranges may have to be chosen for these clusters of the lab; none when the verb chooses nothing. */
  readonly choosingFor: readonly string[];
  readonly privateKubeconfig: (cluster: string) => Promise<PrivateKubeconfig | undefined>;
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
  const groups = groupNodes(input.containers);
  const own = await Promise.all(
    groups.filter(({ owner }) => owner === input.uid).map((group) => observeOwn(group, input)),
  );
  const settled = new Set(own.flatMap(({ name, applied }) => (applied ? [name] : [])));
  const choosing = input.choosingFor.some((name) => !settled.has(name));
  const others = groups.filter(({ owner }) => owner !== input.uid);
  const foreign = await Promise.all(
    others.map(async (group) => ({ ...baseOf(group), ...(choosing ? await readForeign(group, input.runner) : {}) })),
  );
  return [...own, ...foreign].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function groupNodes(containers: readonly Container[]): Group[] {
  const groups = new Map<string, Group>();
  for (const container of containers) {
    for (const provider of Object.values(PROVIDERS)) {
      const found = provider.recognise(container);
      if (!found) continue;
      const key = `${provider.name}/${found.cluster}`;
      const group: Group = groups.get(key) ?? { provider, name: found.cluster, containers: [], nodes: [] };
      const { name, running, image, networks, addresses, hostPorts } = container;
      group.containers.push(container);
      const owner = ownerOf(container.mountTargets);
      if (owner !== undefined) group.owner = owner;
      group.nodes.push({ name, role: found.role, running, image, networks, addresses, hostPorts });
      groups.set(key, group);
    }
  }
  for (const group of groups.values()) group.nodes.sort((a, b) => (a.name < b.name ? -1 : 1));
  return [...groups.values()];
}

const baseOf = ({ provider, name, nodes, owner }: Group): ObservedCluster => ({
  provider: provider.name,
  name,
  nodes,
  ...(owner !== undefined && { owner }),
});

const serverOf = ({ provider, containers }: Group): Container | undefined =>
  containers.find((container) => provider.recognise(container)?.role === 'server');

async function observeOwn(group: Group, input: ClusterInput): Promise<ObservedCluster> {
  const kubeconfig = await input.privateKubeconfig(group.name);
  const running = group.nodes.some((node) => node.running);
  const answer = kubeconfig && running ? await readApiState(kubeconfig.text) : undefined;
  const server = serverOf(group);
  const applied = answer?.applied ?? (server && (await readRecord(server, input.runner)));
  return {
    ...baseOf(group),
    ...(applied && { applied, ranges: { pods: applied.pods, services: applied.services } }),
    ...(answer && { api: answer.state, ...(!answer.applied && { unmarked: true }) }),
    ...(kubeconfig && { credentials: { ca: kubeconfig.ca, server: kubeconfig.server } }),
  };
}

async function readForeign(
  group: Group,
  runner: Runner,
): Promise<{ readonly applied?: AppliedCluster; readonly ranges?: ClusterRanges }> {
  const { provider, owner } = group;
  const server = serverOf(group);
  if (!server) return {};
  const applied = owner === undefined ? undefined : await readRecord(server, runner);
  if (applied) return { applied, ranges: { pods: applied.pods, services: applied.services } };
  const file = provider.rangesFile && (await readFileOf(server, provider.rangesFile, runner));
  const ranges = provider.readRanges({ container: server, ...(file !== undefined && { file }) });
  return ranges ? { ranges } : {};
}

async function readRecord(server: Container, runner: Runner): Promise<AppliedCluster | undefined> {
  const text = await readFileOf(server, RECORD_FILE, runner);
  return text === undefined ? undefined : parseRecord(text);
}

/** A file of a container, running or not; undefined when it has none. */
async function readFileOf(container: Container, path: string, runner: Runner): Promise<string | undefined> {
  const outcome = await runner.run({ argv: copyFromArgv(container.name, path), timeout: 20 });
  return succeeded(outcome) ? firstFileOfTar(outcome.stdout) : undefined;
}
