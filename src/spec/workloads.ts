import { createHash } from 'node:crypto';
import type { Problem } from '../errors.ts';
import type { Pin } from '../lab/lab.ts';
import type { Workload } from '../lab/workload.ts';
import { familyOf, formatAddress, parseAddress } from '../net/address.ts';
import type { ReadClusters } from './clusters.ts';
import { checkSchema } from './issues.ts';
import { show } from './show.ts';
import { type Sourced, valueAt, whereKey, whereValue } from './source.ts';
import { suggest } from './suggest.ts';
import { type WorkloadFile, workloadFile } from './workload-schema.ts';

export interface ReadWorkloads {
  /** In the order of their names. */
  readonly workloads: readonly Workload[];
  readonly problems: readonly Problem[];
}

/** The workloads that documents declare, and what is wrong with each and between them. */
export function readWorkloads(documents: readonly Sourced[], clusters: ReadClusters): ReadWorkloads {
  const read = documents.map((document) => {
    const checked = checkSchema(workloadFile, document);
    if ('problems' in checked) return { problems: checked.problems };
    const workload = buildWorkload(checked.value, document);
    return { workload, problems: findProblems(workload, document, clusters) };
  });
  return {
    workloads: read.flatMap(({ workload }) => workload ?? []).sort((a, b) => (a.name < b.name ? -1 : 1)),
    problems: [...read.flatMap(({ problems }) => problems), ...findSecondNames(documents, clusters)],
  };
}

function buildWorkload({ metadata: { name }, spec }: WorkloadFile, sourced: Sourced): Workload {
  const env = Object.fromEntries(Object.entries(spec.env).map(([key, value]) => [key, String(value)]));
  const { images } = spec.spire ?? {};
  // A proxy leaves redirects behind, which only another container is free of.
  const made = { image: spec.image, command: spec.command, env: Object.entries(env).sort(), proxied: images && true };
  return {
    name,
    at: whereValue(sourced, ['metadata', 'name']),
    cluster: spec.cluster,
    namespace: spec.namespace,
    image: spec.image,
    ...(spec.command && { command: spec.command }),
    env,
    ports: spec.ports.map((port) => ({ ...port, name: port.name ?? `port-${port.port}` })),
    labels: spec.labels ?? { app: name },
    ...(spec.identity !== undefined && { identity: spec.identity }),
    ...(images && {
      spire: {
        at: whereKey(sourced, ['spec', 'spire']),
        images: { server: images.server, agent: images.agent, ...(images.proxy && { proxy: images.proxy }) },
      },
    }),
    addresses: pinsOf(spec.addresses, sourced),
    digest: createHash('sha256').update(JSON.stringify(made)).digest('hex'),
  };
}

function pinsOf(addresses: string | readonly string[] | undefined, sourced: Sourced): Pin[] {
  const path = ['spec', 'addresses'];
  const list = typeof addresses === 'string' ? [addresses] : (addresses ?? []);
  return list.map((text, index) => {
    const address = parseAddress(text);
    const at = whereValue(sourced, typeof addresses === 'string' ? path : [...path, index]);
    return { cidr: address ? formatAddress(address) : text, at };
  });
}

function findProblems({ cluster, addresses }: Workload, sourced: Sourced, read: ReadClusters): Problem[] {
  const names = read.declarations.map(({ name }) => name);
  const unknown = read.complete && !names.includes(cluster);
  return [
    ...(unknown
      ? [
          {
            at: whereValue(sourced, ['spec', 'cluster']),
            message: `no cluster is named ${show(cluster)}`,
            ...suggest(cluster, names),
          },
        ]
      : []),
    ...addresses.flatMap(({ cidr, at }, index): Problem[] => {
      if (!parseAddress(cidr)) return [{ at, message: `addresses: expected an address, found ${show(cidr)}` }];
      const second = addresses.slice(0, index).some((other) => familyOf(other.cidr) === familyOf(cidr));
      return second ? [{ at, message: `addresses: a second IPv${familyOf(cidr)} address` }] : [];
    }),
  ];
}

/** A workload's name is its container's, and may not be that of a cluster either: both are named on command lines. */
function findSecondNames(documents: readonly Sourced[], { declarations }: ReadClusters): Problem[] {
  const first = new Map(declarations.map(({ name, at }) => [name, { what: 'cluster', at }]));
  return documents.flatMap((document) => {
    const path = ['metadata', 'name'];
    const name = valueAt(document.value, path);
    if (typeof name !== 'string') return [];
    const other = first.get(name);
    if (!other) {
      first.set(name, { what: 'workload', at: whereValue(document, path) });
      return [];
    }
    const message = `a second thing named ${show(name)}: there is a ${other.what} of that name`;
    return [{ at: whereKey(document, path), message, hint: `it is at ${other.at}` }];
  });
}
