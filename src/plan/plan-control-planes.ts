import { controlPlaneSteps } from '../mesh/linkerd-install.ts';
import type { Step } from '../step/step.ts';
import { gatewayApiMisfit } from '../tools/linkerd.ts';
import { diffControlPlane } from './diff-linkerd.ts';
import { describeAway, type MeshMember } from './mesh-members.ts';
import { type After, canChange, type MeshWork } from './mesh-work.ts';

/** The control planes of the named clusters that are not as they should be, and the clusters that have one then. */
export function controlPlanesOf(
  work: MeshWork,
  warn: (text: string) => void,
): { readonly steps: readonly Step[]; readonly after: After } {
  const after = new Map<string, readonly string[]>();
  for (const { cluster, state } of work.members) if (state?.version !== undefined) after.set(cluster.name, []);
  if (!work.request.install) return { steps: [], after };
  const named = work.members.filter(({ cluster }) => work.request.names.includes(cluster.name));
  const steps = named.flatMap((member) => {
    const { name } = member.cluster;
    if (!canChange(member, work)) {
      warn(
        `${describeAway(member, work.desired, work.observed)}: ${member.running ? 'Linkerd stays as it is' : 'it gets no Linkerd'}`,
      );
      return [];
    }
    const own = stepsOf(member, work, warn);
    if (own.length > 0)
      after.set(
        name,
        own.slice(-1).map(({ id }) => id),
      );
    return own;
  });
  return { steps, after };
}

function stepsOf(member: MeshMember, work: MeshWork, warn: (text: string) => void): Step[] {
  const { cluster, state, version } = member;
  const { answers } = work.request;
  const misfit = version && state?.gatewayAPI ? gatewayApiMisfit(version, state.gatewayAPI) : undefined;
  if (misfit) {
    const { location } = member.spec.gatewayAPI.manifest;
    warn(
      `${cluster.name}: ${misfit}; kubectl --context ${cluster.name} apply --server-side --force-conflicts -f ${location}`,
    );
  }
  const change = diffControlPlane(work.desired, work.observed, member);
  if (!change) return [];
  return controlPlaneSteps(
    { ...member, desired: work.desired },
    {
      action: change.action,
      keepsValues: cluster.spec.access !== undefined,
      inUse: state?.inputs !== undefined,
      gatewayAPI: state?.gatewayAPI === undefined,
      pristine: !state?.present,
      needs: answers?.get(cluster.name) ?? [],
      certificates: work.certificates.get(cluster.name) ?? [],
    },
  );
}
