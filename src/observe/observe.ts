import type { Lab } from '../lab/lab.ts';
import type { HostState, Observed, ObservedCluster, ObservedContext, Reservation } from '../lab/observed.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { Runner } from '../step/runner.ts';
import { observeClusters, type PrivateKubeconfig } from './clusters.ts';
import { type EngineState, missingTools, observeEngine } from './engine.ts';
import { observeHost } from './host.ts';
import { readNodeNetworks } from './node-network.ts';

interface Readers {
  readonly runner: Runner;
  readonly readContexts: () => Promise<readonly ObservedContext[]>;
  readonly readReservations: (engineId: string) => readonly Reservation[];
  readonly privateKubeconfig: (cluster: string) => Promise<PrivateKubeconfig | undefined>;
}

export interface ObserveInput extends Readers {
  readonly lab: Lab;
  /** Clusters that the command may make or remove: their tools, images and ports are looked at. */
  readonly names: readonly string[];
  /** What the verb is about: without `choose`, no new range is chosen, so nobody else's ranges are read. */
  readonly depth: {
    readonly choose: boolean;
    readonly count: boolean;
    /** Clusters whose nodes' routes and rules are read, a process a node. */
    readonly routing?: readonly string[];
  };
}

/** Reads the world for a lab. Changes nothing, and never throws for an engine that is away. */
export async function observe(input: ObserveInput): Promise<Observed> {
  const { lab, runner, names, depth } = input;
  const wanted = lab.clusters.filter(({ name }) => names.includes(name));
  const images = wanted.flatMap((cluster) => {
    const image = PROVIDERS[cluster.provider].image(cluster);
    return [...(image ? [image] : []), ...cluster.images];
  });
  const [state, contexts] = await Promise.all([observeEngine(runner, [...new Set(images)]), input.readContexts()]);
  const { engine, containers } = state;
  const known = new Set(
    containers.flatMap((one) => Object.values(PROVIDERS).map((provider) => provider.recognise(one)?.cluster)),
  );
  const choosingFor = depth.choose ? names : [];
  const ports = wanted
    .filter(({ name }) => !known.has(name))
    .flatMap((cluster) => PROVIDERS[cluster.provider].hostPorts(cluster));
  const [clusters, host] = await Promise.all([
    observeClusters({ runner, containers, uid: lab.uid, choosingFor, privateKubeconfig: input.privateKubeconfig }),
    observeHost({ engine, ports, count: depth.count }),
  ]);
  const makeable = wanted.flatMap(({ provider }) => (PROVIDERS[provider].make ? PROVIDERS[provider].binaries : []));
  const tools = ['kubectl', ...new Set(makeable)];
  const nodeNetworks = await readNodeNetworks(runner, runningNodes(clusters, lab.uid, depth.routing ?? []));
  return { ...assemble(input, state, { clusters, host, contexts, tools }), nodeNetworks };
}

const runningNodes = (clusters: readonly ObservedCluster[], uid: string, names: readonly string[]): string[] =>
  clusters
    .filter(({ name, owner }) => owner === uid && names.includes(name))
    .flatMap(({ nodes }) => nodes.flatMap(({ name, role, running }) => (running && role !== 'proxy' ? [name] : [])));

/** Reads the world for a lab whose spec may be gone: what runs under its uid, and nothing of the host. */
export async function observeWorld(
  input: Readers & { readonly uid: string; readonly names: readonly string[] },
): Promise<Observed> {
  const [state, contexts] = await Promise.all([observeEngine(input.runner, []), input.readContexts()]);
  const clusters = await observeClusters({ ...input, containers: state.containers, choosingFor: [] });
  const host: HostState = { platform: process.platform, routes: [], resolvers: [], portsInUse: [] };
  // What others made with other tools needs none of them.
  const own = clusters.filter(({ name, owner }) => owner === input.uid || input.names.includes(name));
  const tools = [...new Set(own.flatMap(({ provider }) => PROVIDERS[provider].binaries))];
  return assemble(input, state, { clusters, host, contexts, tools });
}

/** The same world, with the routes and rules of those nodes of a lab that run: a process each. */
export async function observeRouting(
  observed: Observed,
  { uid, runner }: Pick<Readers, 'runner'> & { readonly uid: string },
  names: readonly string[],
): Promise<Observed> {
  return { ...observed, nodeNetworks: await readNodeNetworks(runner, runningNodes(observed.clusters, uid, names)) };
}

function assemble(
  input: Readers,
  { engine, missing, networks, images }: EngineState,
  { tools, ...rest }: Pick<Observed, 'clusters' | 'host' | 'contexts'> & { readonly tools: readonly string[] },
): Observed {
  return {
    ...(engine && { engine }),
    missing: [...(missing ? [missing] : []), ...missingTools(tools)],
    networks,
    images,
    reservations: engine ? input.readReservations(engine.id) : [],
    ...rest,
  };
}
