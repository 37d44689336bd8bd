import type * as z from 'zod/mini';
import type { Cluster, Manifest } from '../lab/lab.ts';
import type { ClusterMesh, LabMesh } from '../lab/mesh.ts';
import { readDuration } from './durations.ts';
import { resolveBeside } from './manifest.ts';
import type { clusterMesh, labMesh } from './mesh-schema.ts';
import { type Sourced, whereKey } from './source.ts';

type ClusterBlock = z.output<typeof clusterMesh>;
type LabBlock = z.output<typeof labMesh>;

/** The mesh that a cluster's checked document, with the lab's mesh under it, declares. */
export function buildClusterMesh(block: ClusterBlock, manifest: Manifest, sourced: Sourced): ClusterMesh {
  if (!block || block.name === 'none') return { name: 'none' };
  const { name, binary, version, values, multicluster, env } = block;
  return {
    name,
    issuerLifetime: readDuration(block.certificates.issuerLifetime),
    binary: binary.includes('/') ? resolveBeside(binary, sourced, ['spec', 'mesh', 'binary']) : binary,
    ...(version !== undefined && { version }),
    gatewayAPI: { manifest },
    values,
    multicluster,
    env: Array.isArray(env) ? env : Object.keys(env),
  };
}

/** The values that a cluster's document gives to variables; those that are only passed on are not in it. */
export function readSecrets(block: ClusterBlock): Readonly<Record<string, string>> {
  if (!block || block.name === 'none' || Array.isArray(block.env)) return {};
  return Object.fromEntries(
    Object.entries(block.env).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}

/** What the meshes of the clusters share. */
export function buildLabMesh(block: LabBlock, sourced: Sourced | undefined, clusters: readonly Cluster[]): LabMesh {
  const path = ['spec', 'mesh', 'certificates', 'anchor'];
  const { certificate, key } = block?.certificates.anchor ?? {};
  return {
    trustDomain: block?.trustDomain ?? commonDomain(clusters),
    anchor: {
      lifetime: readDuration(block?.certificates.anchorLifetime ?? '10y'),
      ...(sourced &&
        certificate !== undefined && {
          own: {
            certificate: resolveBeside(certificate, sourced, [...path, 'certificate']),
            ...(key !== undefined && { key: resolveBeside(key, sourced, [...path, 'key']) }),
            at: whereKey(sourced, path),
          },
        }),
    },
  };
}

/** The domain of the clusters with a mesh, where they have the same. */
function commonDomain(clusters: readonly Cluster[]): string {
  const domains = new Set(clusters.filter(({ mesh }) => mesh.name !== 'none').map(({ network }) => network.domain));
  const [domain] = domains;
  return domains.size === 1 && domain !== undefined ? domain : 'cluster.local';
}
