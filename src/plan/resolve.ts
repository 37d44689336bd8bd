import { InputError, type Problem } from '../errors.ts';
import type { Desired, DesiredCluster, PodPool, Range } from '../lab/desired.ts';
import type { Cluster, Lab } from '../lab/lab.ts';
import type { Observed } from '../lab/observed.ts';
import { takesPart } from '../lab/ownership.ts';
import { parseCidr } from '../net/cidr.ts';
import { PROVIDERS } from '../providers/index.ts';
import { redactData } from '../step/redact.ts';
import { resolveApiPorts } from './resolve-api-ports.ts';
import { resolvePodPools } from './resolve-calico.ts';
import {
  existingElsewhere,
  existingNodes,
  existingOverlaps,
  existingTroubles,
  withExisting,
} from './resolve-existing.ts';
import { resolveCertificates, resolveLinks } from './resolve-links.ts';
import { resolveNetwork } from './resolve-network.ts';
import { resolveNodes } from './resolve-nodes.ts';
import { resolvePools } from './resolve-pools.ts';
import { pinConflicts, resolveRanges } from './resolve-ranges.ts';
import { resolveRouting, strangersIn } from './resolve-routes.ts';
import { resolveWorkloads } from './resolve-workloads.ts';
import { hardTaken, softTaken, type Taken } from './taken.ts';

/**
 * What should be: every range, node, pool and context of the whole lab, with the reason for each. Pure: the same
 * lab and the same observation give the same result, whatever clusters a command names.
 * @throws InputError or EnvironmentError when there is no such plan
 */
export function resolve(declared: Lab, observed: Observed): Desired {
  const lab = withExisting(declared, observed);
  const warnings = existingTroubles(lab, observed).map(({ message }) => message);
  if (!observed.engine) {
    warnings.push('no engine answers: planned as if nothing but this lab used it; ranges may differ once one does');
  }
  const hard = hardTaken(lab, observed);
  const soft = softTaken(observed);
  const conflicts = conflictsWithWorld(lab, observed);
  if (conflicts.length > 0) throw new InputError(conflicts);

  const warn = (text: string) => warnings.push(text);
  const network = resolveNetwork({ lab, observed, hard, soft }, warn);
  const subnets = network.subnets.map(
    ({ range }): Taken => ({ ...parseCidr(range), by: `Docker network ${network.name}` }),
  );
  const taken = [...hard, ...subnets];
  const pods = resolveRanges('pods', { lab, observed, hard: taken, soft }, warn);
  const chosen = [...pods].flatMap(([name, ranges]) =>
    ranges.map(({ range }): Taken => ({ ...parseCidr(range), by: `pods of ${name}` })),
  );
  const services = resolveRanges('services', { lab, observed, hard: [...taken, ...chosen], soft }, warn);
  const pools = resolvePools(lab, observed, network);
  const apiPorts = resolveApiPorts(lab, observed);
  const clusters = lab.clusters.map((spec): DesiredCluster => {
    const provider = PROVIDERS[spec.provider];
    const apiPort = apiPorts.get(spec.name);
    const ranges = { pods: pods.get(spec.name) ?? [], services: services.get(spec.name) ?? [] };
    const podPools = resolvePodPools(spec, ranges.pods);
    return {
      spec,
      name: spec.name,
      nodes: spec.access ? existingNodes(spec, observed) : provider.nodes(spec),
      ...ranges,
      ...(podPools && { podPools }),
      loadBalancer: pools.get(spec.name) ?? [],
      ...(apiPort !== undefined && { apiPort }),
      ...cniOf(spec, observed),
      contexts: spec.access ? [spec.access.context] : [spec.name, provider.contextName(spec.name)],
      fixed: fixedProperties(spec, { ...ranges, ...(podPools && { podPools }) }, network.name),
    };
  });
  const nodes = resolveNodes(clusters, network, observed);
  warnings.push(...existingElsewhere(lab, clusters, nodes));
  const certificates = resolveCertificates(lab);
  const workloads = resolveWorkloads({ lab, observed, network, clusters, nodes });
  for (const text of strangersIn(clusters.filter(({ pods: own }) => own.length > 0))) warn(text);
  let routing: Desired['routing'] | undefined;
  return {
    lab: { name: lab.name, uid: lab.uid, dir: lab.dir, path: lab.path },
    network,
    loadBalancer: lab.loadBalancer,
    clusters,
    workloads,
    nodes,
    // It grows with the square of a group, and most verbs have no use for it.
    get routing() {
      routing ??= resolveRouting(clusters, nodes);
      return routing;
    },
    ...(certificates && { certificates }),
    links: resolveLinks(lab, warn),
    warnings,
  };
}

/** The pod network of what makes the cluster, or of what made it. */
function cniOf({ name, provider, network }: Cluster, { clusters }: Observed): Pick<DesiredCluster, 'cni'> {
  const { madeBy = provider } = clusters.find((one) => one.name === name)?.existing ?? {};
  const cni = network.cni ?? PROVIDERS[madeBy].cni;
  return cni ? { cni } : {};
}

/** Pins that overlap what something else holds: also another cluster of the lab, which runs and keeps its ranges. */
function conflictsWithWorld(lab: Lab, observed: Observed): Problem[] {
  const pinless = { ...lab, clusters: [], network: { ...lab.network, subnets: [] } };
  const heldBeside = (own: string) =>
    hardTaken(pinless, {
      ...observed,
      clusters: observed.clusters.filter((one) => !(takesPart(one, lab.uid) && one.name === own)),
    });
  const notOurs = hardTaken(pinless, observed).filter(({ by }) => by !== `Docker network ${lab.network.name}`);
  return [
    ...lab.clusters
      .filter(({ access }) => !access)
      .flatMap(({ name, network }) => pinConflicts([...network.pods, ...network.services], heldBeside(name))),
    ...existingOverlaps(lab, observed),
    ...pinConflicts(lab.network.subnets, notOurs),
  ];
}

/** The properties of a cluster that only a rebuild can change, as text that can be compared and shown. */
export function fixedProperties(
  spec: Cluster,
  ranges: Pick<DesiredCluster, 'pods' | 'services' | 'podPools'>,
  network: string,
): Record<string, string> {
  const text = (list: readonly Range[]) => list.map(({ range }) => range).join(',');
  return {
    provider: spec.provider,
    ipFamily: spec.ipFamily,
    'nodes.servers': String(spec.nodes.servers),
    'nodes.workers': String(spec.nodes.workers),
    'kubernetes.image': spec.kubernetes.image ?? '',
    'kubernetes.version': spec.kubernetes.version ?? '',
    'network.name': network,
    'network.pods': text(ranges.pods),
    'network.services': text(ranges.services),
    'network.nodeMask': spec.network.nodeMask.join(','),
    'network.domain': spec.network.domain,
    'network.proxyMode': spec.network.proxyMode,
    'network.cni': cniText(spec, ranges.podPools),
    ports: spec.ports
      .map(({ listen, host, node, protocol }) => `${listen ? `${listen}:` : ''}${host}:${node}/${protocol}`)
      .toSorted()
      .join(','),
    // It is noted on the cluster, by way of a command line: a password in a block stays out of it.
    [spec.provider]: JSON.stringify(redactData(spec.providerConfig), sortKeys),
  };
}

const cniText = ({ provider, network: { cni, calico } }: Cluster, pools: readonly PodPool[] = []): string =>
  [
    cni ?? PROVIDERS[provider].cni ?? '',
    calico?.encapsulation ?? '',
    ...pools.map(({ cidr, blockSize }) => `${cidr} in /${blockSize}`),
  ]
    .filter((text) => text !== '')
    .join(', ');

/** For `JSON.stringify`: another order of keys is no change. */
const sortKeys = (_: string, value: unknown): unknown =>
  value === null || typeof value !== 'object' || Array.isArray(value)
    ? value
    : Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
