import { EnvironmentError } from '../errors.ts';
import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { Step } from '../step/step.ts';
import { LINKERD_SOURCE } from '../tools/linkerd.ts';
import { type Edge, linksOf, wantedEdges } from './edges.ts';
import { cliProblems, type MeshMember, meshMembers } from './mesh-members.ts';
import type { After, MeshRequest, MeshWork } from './mesh-work.ts';
import { missingCertificates } from './missing-certificates.ts';
import { controlPlanesOf } from './plan-control-planes.ts';
import { extensionsOf } from './plan-extensions.ts';
import { linkEdges, staleLinks, unlinkStale } from './plan-links.ts';
import { describeRotation, rotationOf } from './rotation.ts';

interface MeshSteps {
  readonly steps: readonly Step[];
  /** The clusters that have a control plane then. */
  readonly controlPlanes: After;
  readonly warnings: readonly string[];
}

const NOTHING: MeshSteps = { steps: [], controlPlanes: new Map(), warnings: [] };

/**
 * Linkerd and the links of the named clusters, a graph: a cluster waits for another only where an edge joins them.
 * @throws EnvironmentError when a CLI does not do; InputError when there is nothing to link
 */
export function planMesh(desired: Desired, observed: Observed, request: MeshRequest): MeshSteps {
  const members = meshMembers(desired, observed);
  const named = members.filter(({ cluster }) => request.names.includes(cluster.name));
  const problems = cliProblems(named, observed);
  if (problems.length > 0 && !request.lenient) throw new EnvironmentError(problems.join('\n'), LINKERD_SOURCE);
  const certificates = request.install
    ? missingCertificates(
        desired,
        observed,
        named.map(({ cluster }) => cluster.name),
      )
    : { steps: [], after: new Map() };
  const work: MeshWork = {
    certificates: certificates.after,
    desired,
    observed,
    request,
    members,
    edges: edgesOf(desired, members, request),
  };
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  if (request.install) sayRotation(desired, observed, warn);
  const controlPlanes = controlPlanesOf(work, warn);
  const edges = linkEdges(work, controlPlanes.after, warn);
  const stale = staleLinks(work);
  const extensions = extensionsOf(work, controlPlanes.after, edges, stale);
  return {
    steps: [
      ...certificates.steps,
      ...controlPlanes.steps,
      ...unlinkStale(stale),
      ...extensions.steps,
      ...edges.flatMap(({ make }) => make(extensions.after)),
    ],
    controlPlanes: controlPlanes.after,
    warnings,
  };
}

/** Between two steps to another trust anchor Linkerd is applied, and the workloads are for their owner to restart. */
function sayRotation({ certificates, lab }: Desired, { certificates: seen }: Observed, warn: (text: string) => void) {
  const text = certificates && seen && describeRotation(rotationOf(certificates, seen), lab.dir);
  if (text) warn(text);
}

/** Links that are there and no longer right: an API server or a gateway moved, or its cluster is gone. */
export function planRelink(desired: Desired, observed: Observed, names: readonly string[]): MeshSteps {
  const linked = meshMembers(desired, observed).filter(({ state }) => linksOf(state, desired.lab.uid).length > 0);
  if (linked.length === 0) return NOTHING;
  // A repair goes on with what it can do.
  const problems = cliProblems(linked, observed);
  if (problems.length > 0) return { ...NOTHING, warnings: [`links stay as they are: ${problems.join('; ')}`] };
  return planMesh(desired, observed, { names, install: false, link: true, onlyExisting: true });
}

function edgesOf(desired: Desired, members: readonly MeshMember[], { byHand = {} }: MeshRequest): readonly Edge[] {
  const { add, remove } = byHand;
  const isSame = (one: Edge | undefined, { from, to }: Edge) => one?.from === from && one.to === to;
  const others = wantedEdges(desired, members).filter((edge) => !isSame(add, edge) && !isSame(remove, edge));
  return add ? [...others, add] : others;
}
