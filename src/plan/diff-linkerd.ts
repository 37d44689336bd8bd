import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import { UNFINISHED } from '../mesh/linkerd-command.ts';
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
  { certificates }: Observed,
  member: MeshMember,
): ControlPlaneChange | undefined {
  const { state, version } = member;
  if (state?.version === undefined) return { action: 'install', why: 'it is not installed' };
  if (state.version !== version) return { action: 'upgrade', why: `${state.version} → ${version}` };
  const wanted = inputsOf(version, controlPlaneValues(desired, member.cluster, member.spec));
  if (state.inputs === undefined) return { action: 'upgrade', why: 'its install was never finished' };
  if (state.inputs === UNFINISHED) return { action: 'upgrade', why: 'its last change was never finished' };
  if (state.inputs !== wanted) return { action: 'upgrade', why: 'its values changed' };
  const issuer = certificates?.issuers[member.cluster.name]?.certificate?.fingerprint;
  if (issuer !== undefined && issuer !== state.issuer) return { action: 'upgrade', why: 'its issuer changed' };
  const trusted = certificates?.bundle.trusted.map(({ fingerprint }) => fingerprint) ?? [];
  if (trusted.length > 0 && trusted.toSorted().join() !== state.anchors.toSorted().join())
    return { action: 'upgrade', why: 'the trust anchors changed' };
  return state.ready ? undefined : { action: 'check', why: 'it is not ready' };
}
