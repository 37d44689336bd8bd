import type { Problem } from '../errors.ts';
import { familiesOf } from '../lab/families.ts';
import type { Cluster, Lab } from '../lab/lab.ts';
import type { Workload } from '../lab/workload.ts';
import type { LabFile } from './lab-schema.ts';
import { type Sourced, whereKey, whereValue } from './source.ts';

const CERTIFICATES = ['spec', 'mesh', 'certificates'];

/** What is wrong between the meshes of a lab: certificates that could not be, links that could carry nothing. */
export function findMeshProblems(lab: Lab, file: LabFile, sourced: Sourced | undefined): Problem[] {
  return [
    ...(sourced ? findAnchorProblems(file, sourced) : []),
    ...lab.clusters.flatMap((cluster) => findLifetimeProblem(cluster, lab, sourced) ?? []),
    ...lab.links.flatMap((link) => findFamilyProblem(link, lab) ?? []),
    ...lab.workloads.flatMap((workload) => findSpireProblem(workload, lab) ?? []),
  ];
}

/** A proxy needs a mesh, and SPIRE the key of what that trusts. */
function findSpireProblem({ spire, cluster }: Workload, { clusters, mesh }: Lab): Problem | undefined {
  if (!spire) return undefined;
  const { at } = spire;
  if (clusters.some(({ name, mesh: own }) => name === cluster && own.name === 'none'))
    return { at, message: `spire: ${cluster} has no mesh`, hint: 'leave it out, or give the cluster a mesh' };
  if (!mesh.anchor.own || mesh.anchor.own.key !== undefined) return undefined;
  const hint = `name it at ${mesh.anchor.own.at} (key), or leave spire out`;
  return { at, message: 'spire: it signs with the key of the trust anchor, which is your own and not given', hint };
}

function findAnchorProblems({ spec: { mesh } }: LabFile, sourced: Sourced): Problem[] {
  const { anchor } = mesh?.certificates ?? {};
  if (!anchor) return [];
  const at = whereKey(sourced, [...CERTIFICATES, 'anchor']);
  if (anchor.certificate === undefined) {
    const hint = 'name the certificate too, or leave the anchor out and lab makes one';
    return [{ at, message: 'anchor: a trust anchor of your own needs at least its certificate', hint }];
  }
  const lifetime = [...CERTIFICATES, 'anchorLifetime'];
  if (!sourced.places.has(lifetime.join('.'))) return [];
  const message = 'anchorLifetime: a trust anchor of your own has its lifetime already';
  return [{ at: whereKey(sourced, lifetime), message, hint: 'leave out either this or anchor' }];
}

/** A certificate that outlives the one that signed it fails before it says so. */
function findLifetimeProblem({ mesh, at }: Cluster, lab: Lab, sourced: Sourced | undefined): Problem | undefined {
  const { own, lifetime } = lab.mesh.anchor;
  if (mesh.name === 'none' || own || mesh.issuerLifetime <= lifetime) return undefined;
  const shared = [...CERTIFICATES, 'issuerLifetime'];
  const isShared = sourced?.places.has(shared.join('.'));
  return {
    at: sourced && isShared ? whereValue(sourced, shared) : at,
    message: 'issuerLifetime: an issuer cannot be valid for longer than the trust anchor (anchorLifetime)',
    hint: 'shorten the one, or lengthen the other',
  };
}

/** Only a gateway carries requests from one address family to the other. */
function findFamilyProblem({ from, to, mode, at }: Lab['links'][number], { clusters }: Lab): Problem | undefined {
  const [consumer, exporter] = [from, to].map((end) => clusters.find(({ name }) => name === end));
  if (mode === 'gateway' || !consumer || !exporter) return undefined;
  if (familiesOf(consumer).some((family) => familiesOf(exporter).includes(family))) return undefined;
  const message = `a ${mode} link needs a common address family: ${from} is ${consumer.ipFamily}, ${to} is ${exporter.ipFamily}`;
  return { at, message, hint: 'use mode gateway, or make one of them dual' };
}
