import type { Desired } from '../lab/desired.ts';
import { controlPlaneValues, inputsOf } from '../mesh/linkerd-values.ts';
import type { MeshMember } from './mesh-members.ts';

export interface ControlPlaneChange {
  /** `check`: all of it is applied, and only has to come up. */
  readonly action: 'install' | 'upgrade' | 'check';
  readonly why: string;
}

/** What the control plane of a cluster lacks; undefined when it is as it should be. */
export function diffControlPlane(
  { desired }: { readonly desired: Desired },
  member: MeshMember,
): ControlPlaneChange | undefined {
  const { state, version } = member;
  if (state?.version === undefined) return { action: 'install', why: 'it is not installed' };
  if (state.version !== version) return { action: 'upgrade', why: `${state.version} → ${version}` };
  const wanted = inputsOf(version, controlPlaneValues(desired, member.cluster, member.spec));
  if (state.inputs === undefined) return { action: 'upgrade', why: 'its install was never finished' };
  if (state.inputs !== wanted) return { action: 'upgrade', why: 'its values changed' };
  return state.ready ? undefined : { action: 'check', why: 'it is not ready' };
}
