import { LINKERD } from '../lab/linkerd.ts';
import { extensionSteps, restartSteps } from '../mesh/linkerd-install.ts';
import { controllerOf, removeGatewayStep } from '../mesh/linkerd-links.ts';
import { type Controller, extensionValues, inputsOf } from '../mesh/linkerd-values.ts';
import type { Step } from '../step/step.ts';
import { anchorsChanged } from './diff-linkerd.ts';
import type { MeshMember } from './mesh-members.ts';
import { type After, canChange, type MeshWork } from './mesh-work.ts';
import type { LinkToMake, StaleLink } from './plan-links.ts';

/** The multicluster extension where it is not as it should be, and the clusters that have it then. */
export function extensionsOf(
  work: MeshWork,
  controlPlanes: After,
  links: readonly LinkToMake[],
  stale: readonly StaleLink[],
): { readonly steps: readonly Step[]; readonly after: After } {
  const after = new Map<string, readonly string[]>();
  const touched = new Set([
    ...work.request.names,
    ...links.flatMap(({ edge }) => [edge.from, edge.to]),
    ...stale.flatMap(({ from, to }) => [from, to]),
  ]);
  const steps = work.members
    .filter(
      (member) => touched.has(member.cluster.name) && controlPlanes.has(member.cluster.name) && canChange(member, work),
    )
    .flatMap((member) => {
      const { name } = member.cluster;
      const own = stepsOf(member, work, { controlPlanes, links, stale });
      after.set(name, own.some(({ id }) => id === `${name}/multicluster`) ? [`${name}/multicluster`] : []);
      return own;
    });
  return { steps, after };
}

interface Changes {
  readonly controlPlanes: After;
  readonly links: readonly LinkToMake[];
  readonly stale: readonly StaleLink[];
}

function stepsOf(member: MeshMember, work: MeshWork, changes: Changes): Step[] {
  const { cluster, state, version, spec } = member;
  const controllers = controllersOf(member, changes);
  const gateway = needsGateway(member, work, changes);
  const extension = state?.extension;
  const wanted = inputsOf(version, extensionValues(work.desired, spec, controllers, gateway));
  const settled = extension?.ready === true && extension.inputs === wanted;
  const needs = changes.controlPlanes.get(cluster.name) ?? [];
  const installed = extension?.inputs !== undefined;
  const made = settled
    ? []
    : extensionSteps({ ...member, desired: work.desired }, { controllers, gateway, installed, needs });
  const unused = extension?.gateway !== undefined && !gateway;
  const steps = [...made];
  const last = () => (steps.length > 0 ? steps.slice(-1).map(({ id }) => id) : needs);
  if (unused) steps.push(removeGatewayStep(cluster.name, last()));
  if (installed && trustsOthers(member, work))
    steps.push(...restartSteps(cluster.name, running(member, changes, gateway), last()));
  return steps;
}

const linksThatStay = ({ cluster: { name }, state }: MeshMember, { stale }: Changes) =>
  (state?.extension.links ?? []).filter(({ to }) => !stale.some((link) => link.from === name && link.to === to));

/** Deployments of the extension that are there and stay. */
const running = (member: MeshMember, changes: Changes, gateway: boolean): string[] => [
  LINKERD.localMirror,
  ...(gateway && member.state?.extension.gateway ? [LINKERD.gateway] : []),
  ...linksThatStay(member, changes).map(({ to }) => controllerOf(to)),
];

/** A proxy learns what to trust when it starts; an upgrade of Linkerd refuses an issuer that some proxy does not trust. */
function trustsOthers({ state }: MeshMember, { observed, request }: MeshWork): boolean {
  if (!state || !observed.certificates?.bundle.trusted.length) return false;
  const lags = state.outdated.some(({ pod }) => pod.startsWith(`${LINKERD.multicluster}/`));
  return lags || (request.install && anchorsChanged(state, observed));
}

/** Those of the Links that are there and stay, and of those that are being made. */
function controllersOf(member: MeshMember, changes: Changes): Controller[] {
  const kept = linksThatStay(member, changes).map(({ to, gateway }) => ({ to, gateway: gateway.length > 0 }));
  const made = changes.links
    .filter(({ edge }) => edge.from === member.cluster.name)
    .map(({ edge }) => ({ to: edge.to, gateway: edge.mode === 'gateway' }));
  return [...kept.filter(({ to }) => !made.some((one) => one.to === to)), ...made];
}

/** An edge of the lab wants it, or a Link that somebody else made uses it. */
function needsGateway({ cluster: { name } }: MeshMember, { edges, members }: MeshWork, changes: Changes): boolean {
  if (edges.some(({ to, mode }) => to === name && mode === 'gateway')) return true;
  return members.some((member) =>
    linksThatStay(member, changes).some(({ to, gateway }) => to === name && gateway.length > 0),
  );
}
