import type { Cluster, Lab, Manifest } from '../lab/lab.ts';
import { completeAddons } from './build-apps.ts';
import { makePins } from './build-cluster.ts';
import { buildLabMesh } from './build-mesh.ts';
import type { LabFile } from './lab-schema.ts';
import { type Sourced, whereValue } from './source.ts';

const readSeconds = (text: string): number => Number.parseInt(text, 10) * (text.endsWith('m') ? 60 : 1);

export interface LabParts {
  readonly name: string;
  readonly uid: string;
  readonly dir: string;
  readonly path: string;
  readonly file: LabFile;
  /** Absent when there is no lab.yaml. */
  readonly sourced: Sourced | undefined;
  readonly manifest: Manifest;
  readonly clusters: readonly Cluster[];
  readonly workloads: Lab['workloads'];
}

/** The lab that its checked documents declare. */
export function buildLab({ name, uid, dir, path, file, sourced, manifest, clusters, workloads }: LabParts): Lab {
  const { loadBalancer, links, ranges } = file.spec;
  const size = 'spec.ranges.loadBalancer.size';
  const mesh = buildLabMesh(file.spec.mesh, sourced, clusters);
  return {
    name,
    uid,
    dir,
    path,
    network: buildNetwork(name, dir, file, sourced),
    ranges: {
      ...ranges,
      loadBalancer: {
        size: ranges.loadBalancer.size,
        ...(sourced?.places.has(size) && { sizeAt: whereValue(sourced, size.split('.')) }),
      },
    },
    loadBalancer: { addon: loadBalancer.addon, manifest },
    groups: buildGroups(file, clusters),
    mesh,
    checks: file.spec.checks.map(buildCheck),
    links: links.map((link, index) => ({ ...link, at: sourced ? whereValue(sourced, ['spec', 'links', index]) : dir })),
    clusters: clusters.map((cluster) => completeAddons(cluster, mesh.trustDomain)),
    workloads,
  };
}

function buildCheck({ from, ...check }: LabFile['spec']['checks'][number]): Lab['checks'][number] {
  const [cluster = '', namespace = '', pod = ''] = from.split('/');
  const { status, contains } = check.expect;
  return {
    ...check,
    from: { cluster, namespace, pod },
    expect: { status, ...(contains !== undefined && { contains }) },
    within: readSeconds(check.within),
  };
}

function buildNetwork(
  lab: string,
  dir: string,
  { spec: { network } }: LabFile,
  sourced: Sourced | undefined,
): Lab['network'] {
  const path = ['spec', 'network'];
  const [ipRange] = sourced ? makePins(network.ipRange, sourced, [...path, 'ipRange']) : [];
  return {
    name: network.adopt ?? network.name ?? `lab-${lab}`,
    adopt: network.adopt !== undefined,
    subnets: sourced ? makePins(network.subnets, sourced, [...path, 'subnets']) : [],
    ...(ipRange && { ipRange }),
    at: sourced ? whereValue(sourced, path) : dir,
  };
}

/** Every group that has a member, also when lab.yaml says nothing about it. */
function buildGroups({ spec }: LabFile, clusters: readonly Cluster[]): Lab['groups'] {
  const names = [...new Set(clusters.flatMap(({ group }) => group ?? []))].sort();
  return Object.fromEntries(
    names.map((name) => [name, { mode: (Object.hasOwn(spec.groups, name) && spec.groups[name]?.mode) || 'flat' }]),
  );
}
