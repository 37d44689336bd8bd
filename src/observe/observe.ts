import { apiPorts } from '../lab/api-port.ts';
import type { AppSource } from '../lab/apps.ts';
import type { HostPort } from '../lab/host-port.ts';
import type { Cluster, Lab } from '../lab/lab.ts';
import type { HostState, Observed, ObservedCluster, ObservedContext, Reservation } from '../lab/observed.ts';
import { takesPart } from '../lab/ownership.ts';
import type { Workload } from '../lab/workload.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { Provider } from '../providers/provider.ts';
import type { Runner } from '../step/runner.ts';
import { observeClusters, type PrivateKubeconfig } from './clusters.ts';
import { type EngineState, missingTools, observeEngine, oldTools } from './engine.ts';
import type { ExistingAccess } from './existing.ts';
import { findWorkloads, readWorkloadRoutes } from './external-workloads.ts';
import { observeHost } from './host.ts';
import { observeLinkerdClis } from './linkerd.ts';
import { readNodeNetworks } from './node-network.ts';

interface Readers {
  readonly runner: Runner;
  readonly readContexts: () => Promise<readonly ObservedContext[]>;
  readonly readReservations: (engineId: string) => Promise<readonly Reservation[]>;
  readonly privateKubeconfig: (cluster: string) => Promise<PrivateKubeconfig | undefined>;
  readonly existingAccess: (cluster: Cluster) => Promise<ExistingAccess>;
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
    /** Linkerd in the clusters, and the CLIs of those whose spec names one. */
    readonly mesh?: boolean;
    /** What apps left in the clusters. */
    readonly apps?: boolean;
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
  images.push(...lab.workloads.flatMap(imagesOf));
  const [state, contexts] = await Promise.all([observeEngine(runner, [...new Set(images)]), input.readContexts()]);
  const { engine, containers } = state;
  const binaries = depth.mesh ? binariesOf(lab) : [];
  const known = new Set(
    containers.flatMap((one) => Object.values(PROVIDERS).map((provider) => provider.recognise(one)?.cluster)),
  );
  const choosingFor = depth.choose ? wanted.filter(isMade).map(({ name }) => name) : [];
  const unmade = wanted.filter((cluster) => isMade(cluster) && !known.has(cluster.name));
  const ports = depth.count ? unmade.flatMap((cluster) => PROVIDERS[cluster.provider].hostPorts(cluster)) : [];
  // Without an engine all is planned as if nothing were in use.
  const choosesPort =
    engine && depth.choose && unmade.some((cluster) => PROVIDERS[cluster.provider].wantsApiPort?.(cluster));
  const candidates = choosesPort ? apiPorts(lab.uid).map(toApiPort) : [];
  const [clusters, host, old, linkerdClis] = await Promise.all([
    observeClusters({
      runner,
      containers,
      networks: state.networks,
      uid: lab.uid,
      choosingFor,
      privateKubeconfig: input.privateKubeconfig,
      existing: lab.clusters.filter((cluster) => !isMade(cluster)),
      existingAccess: input.existingAccess,
      readsMesh: binaries.length > 0,
      ...(depth.apps && { appHashes: appHashesOf(lab) }),
      readsWorkloads: lab.workloads.length > 0,
    }),
    observeHost({ engine, ports: [...ports, ...candidates], count: depth.count }),
    depth.count ? oldTools(runner, providersOf(unmade)) : [],
    observeLinkerdClis(runner, binaries),
  ]);
  const charts = depth.apps && wanted.some(({ apps }) => apps.some(({ sources }) => sources.some(isChart)));
  const tools = ['kubectl', ...providersOf(wanted).flatMap(({ binaries }) => binaries), ...(charts ? ['helm'] : [])];
  const nodeNetworks = await readNodeNetworks(runner, runningNodes(clusters, lab.uid, depth.routing ?? []));
  const observed = await assemble(input, state, { clusters, host, contexts, tools });
  const routed = depth.routing ?? [];
  const imageOf = (cluster: string) =>
    routed.includes(cluster) ? clusters.find(({ name }) => name === cluster)?.nodes[0]?.image : undefined;
  const own = findWorkloads(containers).filter(({ owner }) => owner === lab.uid);
  const others = findWorkloads(containers).filter(({ owner }) => owner !== lab.uid);
  const workloads = [...(await readWorkloadRoutes(runner, own, imageOf)), ...others];
  return { ...observed, missing: [...observed.missing, ...old], nodeNetworks, linkerdClis, workloads };
}

/** The proxy's is known only once the cluster's mesh is. */
const imagesOf = ({ image, spire }: Workload): string[] => [image, ...Object.values(spire?.images ?? {})];

const isMade = ({ provider }: Cluster): boolean => PROVIDERS[provider].make !== undefined;

const providersOf = (clusters: readonly Cluster[]): Provider[] => [
  ...new Set(clusters.map(({ provider }) => PROVIDERS[provider])),
];

const isChart = ({ kind }: AppSource): boolean => kind === 'chart';

const appHashesOf =
  ({ clusters }: Lab) =>
  (name: string): ReadonlyMap<string, string> =>
    new Map(clusters.find((one) => one.name === name)?.apps.map((app) => [app.name, app.hash]));

const toApiPort = (port: number): HostPort => ({ port, protocol: 'tcp', listen: '127.0.0.1', at: 'the API server' });

const binariesOf = ({ clusters }: Lab): string[] =>
  clusters.flatMap(({ mesh }) => (mesh.name === 'linkerd' ? [mesh.binary] : []));

const runningNodes = (clusters: readonly ObservedCluster[], uid: string, names: readonly string[]): string[] =>
  clusters
    .filter((cluster) => takesPart(cluster, uid) && names.includes(cluster.name))
    .flatMap(({ nodes }) => nodes.flatMap(({ name, role, running }) => (running && role !== 'proxy' ? [name] : [])));

/** Reads the world for a lab whose spec may be gone: what runs under its uid, and nothing of the host. */
export async function observeWorld(
  input: Readers & {
    readonly uid: string;
    readonly names: readonly string[];
    /** Clusters that the specs take in, as far as those can be read. */
    readonly existing: readonly Cluster[];
  },
): Promise<Observed> {
  const [state, contexts] = await Promise.all([observeEngine(input.runner, []), input.readContexts()]);
  const { containers, networks } = state;
  const clusters = await observeClusters({
    ...input,
    containers,
    networks,
    choosingFor: [],
    readsMesh: true,
    readsWorkloads: true,
  });
  const host: HostState = { platform: process.platform, routes: [], resolvers: [], portsInUse: [] };
  // What others made with other tools needs none of them.
  const own = clusters.filter(({ name, owner }) => owner === input.uid || input.names.includes(name));
  const tools = [...new Set(own.flatMap(({ provider }) => PROVIDERS[provider].binaries))];
  const observed = await assemble(input, state, { clusters, host, contexts, tools });
  return { ...observed, workloads: findWorkloads(containers) };
}

/** The same world, with the routes and rules of those nodes of a lab that run: a process each. */
export async function observeRouting(
  observed: Observed,
  { uid, runner }: Pick<Readers, 'runner'> & { readonly uid: string },
  names: readonly string[],
): Promise<Observed> {
  return { ...observed, nodeNetworks: await readNodeNetworks(runner, runningNodes(observed.clusters, uid, names)) };
}

async function assemble(
  input: Readers,
  { engine, missing, networks, images }: EngineState,
  { tools, ...rest }: Pick<Observed, 'clusters' | 'host' | 'contexts'> & { readonly tools: readonly string[] },
): Promise<Observed> {
  return {
    ...(engine && { engine }),
    missing: [...(missing ? [missing] : []), ...missingTools(tools)],
    networks,
    images,
    reservations: engine ? await input.readReservations(engine.id) : [],
    ...rest,
  };
}
