import type { Desired } from '../lab/desired.ts';
import { LINKERD, type LinkerdState } from '../lab/linkerd.ts';
import type { Observed } from '../lab/observed.ts';
import { controlPlaneValues, inputsOf } from '../mesh/linkerd-values.ts';
import type { MeshMember } from './mesh-members.ts';

export interface ControlPlaneChange {
  /** `check`: all of it is applied, and only has to come up. */
  readonly action: 'install' | 'upgrade' | 'check';
  readonly why: string;
}

/** What the control plane of a cluster lacks; undefined when it is as it should be. */
export function diffControlPlane(
  desired: Desired,
  observed: Observed,
  member: MeshMember,
): ControlPlaneChange | undefined {
  const { state, version } = member;
  if (state?.version === undefined) return { action: 'install', why: 'it is not installed' };
  if (state.version !== version) return { action: 'upgrade', why: `${state.version} → ${version}` };
  const wanted = inputsOf(version, controlPlaneValues(desired, member.cluster, member.spec));
  if (state.inputs === undefined) return { action: 'upgrade', why: 'its install was never finished' };
  if (state.inputs === LINKERD.unfinished) return { action: 'upgrade', why: 'its last change was never finished' };
  if (state.inputs !== wanted) return { action: 'upgrade', why: 'its values changed' };
  const issuer = observed.certificates?.issuers[member.cluster.name]?.certificate?.fingerprint;
  if (issuer !== undefined && issuer !== state.issuer) return { action: 'upgrade', why: 'its issuer changed' };
  if (anchorsChanged(state, observed)) return { action: 'upgrade', why: 'the trust anchors changed' };
  return state.ready ? undefined : { action: 'check', why: 'it is not ready' };
}

/** Whether a cluster trusts something else than it is to; it is not known before there are certificates. */
export function anchorsChanged({ anchors }: LinkerdState, { certificates }: Observed): boolean {
  const trusted = certificates?.bundle.trusted.map(({ fingerprint }) => fingerprint) ?? [];
  return trusted.length > 0 && trusted.toSorted().join() !== anchors.toSorted().join();
}
