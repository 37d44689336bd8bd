import type { Desired, DesiredCluster } from '../lab/desired.ts';
import type { LinkerdState } from '../lab/linkerd.ts';
import type { LinkerdSpec } from '../lab/mesh.ts';
import type { Observed, ObservedCluster } from '../lab/observed.ts';
import { isSettled } from '../lab/ownership.ts';
import { isTooOld, LINKERD_SOURCE } from '../tools/linkerd.ts';

/** A cluster that should have Linkerd, and what is there of it. */
export interface MeshMember {
  readonly cluster: DesiredCluster;
  readonly spec: LinkerdSpec;
  /** What its CLI says that it is; what it should be where that one does not do. Absent when nothing says it. */
  readonly version?: string;
  /** Present when the cluster takes part in the lab, was once ready, and runs. */
  readonly running?: ObservedCluster;
  /** Absent while its API server does not answer. */
  readonly state?: LinkerdState;
}

/** The clusters of the lab that should have Linkerd. */
export function meshMembers(desired: Desired, observed: Observed): MeshMember[] {
  return desired.clusters.flatMap((cluster): MeshMember[] => {
    const { mesh } = cluster.spec;
    if (mesh.name !== 'linkerd') return [];
    const running = observed.clusters.find(
      (one) =>
        one.name === cluster.name && isSettled(one, desired.lab.uid) && one.nodes.every(({ running }) => running),
    );
    const cli = observed.linkerdClis?.find(({ binary }) => binary === mesh.binary);
    const state = running?.api?.linkerd;
    // Of a CLI that does not do, a dry run assumes that it will be the right one.
    const version = cli?.version ?? mesh.version ?? state?.version;
    return [
      {
        cluster,
        spec: mesh,
        ...(version !== undefined && { version }),
        ...(running && { running }),
        ...(state && { state }),
      },
    ];
  });
}

/** A Linkerd of a cluster that the lab did not make, whose proxies trust nobody whom those of the lab trust. */
export function isStranger({ running, state }: MeshMember, { certificates }: Observed): boolean {
  if (!certificates || !running?.existing || state?.version === undefined || state.anchors.length === 0) return false;
  const trusted = certificates.bundle.trusted.map(({ fingerprint }) => fingerprint);
  return !state.anchors.some((anchor) => trusted.includes(anchor));
}

/** Why a member cannot be changed now. */
export function describeAway(member: MeshMember, { lab }: Desired, observed: Observed): string {
  const { cluster, running } = member;
  const { name, spec } = cluster;
  if (isStranger(member, observed))
    return `${name} has a Linkerd with another trust anchor (let it trust that of this lab, or name its own: mesh.certificates.anchor in lab.yaml)`;
  if (running) return `${name} does not answer`;
  return spec.access ? `${name} has not joined yet (lab create ${lab.dir} ${name})` : `${name} does not run`;
}

/** Why the CLIs of these members do not do: missing, too old, not what the spec says, or without what they are to be told. */
export function cliProblems(members: readonly MeshMember[], { linkerdClis, unsetVariables = {} }: Observed): string[] {
  const unset = members.flatMap(({ cluster: { name }, spec }) =>
    (unsetVariables[name] ?? []).map(
      (variable) => `${variable} is not set, which ${spec.binary} of ${name} is to be given (mesh.env)`,
    ),
  );
  const problems = members.flatMap(({ cluster, spec, version }) => {
    const problem = linkerdClis?.find(({ binary }) => binary === spec.binary)?.problem;
    if (problem !== undefined) return problem;
    if (spec.version !== undefined && version !== spec.version)
      return `${spec.binary} is ${version}, and ${cluster.name} wants ${spec.version}`;
    return version !== undefined && isTooOld(version) ? `${spec.binary} is ${version}, which is too old` : [];
  });
  return [...new Set([...problems, ...unset])];
}

/** The same of the named clusters, as something that is missing on this machine. */
export function missingForMesh(
  desired: Desired,
  observed: Observed,
  names: readonly string[],
): { readonly what: string; readonly hint: string }[] {
  const named = meshMembers(desired, observed).filter(({ cluster }) => names.includes(cluster.name));
  return cliProblems(named, observed).map((what) => ({ what, hint: LINKERD_SOURCE }));
}
