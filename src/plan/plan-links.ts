import { EnvironmentError } from '../errors.ts';
import type { FederatedService } from '../lab/linkerd.ts';
import { addressStep, linkSteps, unlinkSteps } from '../mesh/linkerd-links.ts';
import type { Step, Value } from '../step/step.ts';
import { apiFamily, apiServerOf, diffLink, type Edge, isGone, linksOf, unreachableApi } from './edges.ts';
import { describeAway, type MeshMember } from './mesh-members.ts';
import { type After, canChange, concerns, type MeshWork } from './mesh-work.ts';

/** An edge that has to be made; its steps follow once it is known what they wait for. */
export interface LinkToMake {
  readonly edge: Edge;
  readonly make: (extensions: After) => Step[];
}

/**
 * The edges of the named clusters that are not as they should be.
 * @throws EnvironmentError when an edge is asked for, and a cluster that runs has no Linkerd, unless the request is lenient
 */
export function linkEdges(work: MeshWork, controlPlanes: After, warn: (text: string) => void): LinkToMake[] {
  if (!work.request.link) return [];
  const { later = [], lenient, onlyExisting } = work.request;
  const asked = work.edges
    .filter(({ from, to }) => concerns(work.request, from, to) && !later.includes(from) && !later.includes(to))
    .filter((edge) => !onlyExisting || isMade(edge, work));
  const ends = new Map(work.members.map((member) => [member.cluster.name, member]));
  const involved = [...new Set(asked.flatMap(({ from, to }) => [from, to]))].flatMap((name) => ends.get(name) ?? []);
  const bare = involved.filter((member) => canChange(member, work) && !controlPlanes.has(member.cluster.name));
  const bareNames = bare.map(({ cluster }) => cluster.name);
  const remedy = `lab linkerd ${work.desired.lab.dir} ${bareNames.join(' ')}`;
  if (bare.length > 0 && !lenient) throw new EnvironmentError(`no Linkerd in ${bareNames.join(', ')}`, remedy);
  if (bare.length > 0) warn(`no Linkerd in ${bareNames.join(', ')}, so nothing is linked with it; see: ${remedy}`);
  for (const member of involved.filter((one) => !canChange(one, work)))
    warn(`${describeAway(member, work.desired, work.observed)}: its links stay as they are`);
  return asked.flatMap((edge) => {
    const [from, to] = [ends.get(edge.from), ends.get(edge.to)];
    const can = (end: MeshMember) => canChange(end, work) && !bare.includes(end);
    if (!from || !to || !can(from) || !can(to)) return [];
    const why = unreachableApi(work.desired, from, to);
    if (why === undefined) return linkToMake(work, edge, from, to);
    warn(`${why}: no link from ${edge.from} to ${edge.to}`);
    return [];
  });
}

const isMade = ({ from, to }: Edge, { members, desired }: MeshWork): boolean =>
  members.some(
    ({ cluster, state }) => cluster.name === from && linksOf(state, desired.lab.uid).some((link) => link.to === to),
  );

function linkToMake(work: MeshWork, edge: Edge, from: MeshMember, to: MeshMember): LinkToMake[] {
  const family = apiFamily(from.cluster, to.cluster);
  // The rules of the specs have refused it.
  if (family === undefined) return [];
  const known = apiServerOf(work.desired, to, family);
  const link = from.state?.extension.links.find((one) => one.to === edge.to);
  if (known !== undefined && diffLink(edge, link, to, known) === undefined) return [];
  const query =
    known === undefined
      ? addressStep(work.desired, from.cluster.name, edge.to, family, work.request.answers?.get(edge.to) ?? [])
      : undefined;
  const server: Value = known ?? { ref: query?.capture ?? '' };
  return [
    {
      edge,
      make: (extensions) => [
        ...(query ? [query] : []),
        ...linkSteps({
          ...edge,
          uid: work.desired.lab.uid,
          spec: to.spec,
          server,
          anew: link !== undefined,
          exporter: [
            ...(extensions.get(edge.to) ?? []),
            ...(edge.mode === 'gateway' ? (work.request.balances?.get(edge.to) ?? []) : []),
            ...(query ? [query.id] : []),
          ],
          consumer: extensions.get(edge.from) ?? [],
        }),
      ],
    },
  ];
}

/** A link that this lab made and that nobody asks for any more. */
export interface StaleLink {
  readonly from: string;
  readonly to: string;
  readonly federated: readonly FederatedService[];
}

/** Those of the named clusters, in either direction, and those to clusters that are gone. */
export function staleLinks({ desired, observed, request, members, edges }: MeshWork): StaleLink[] {
  if (!request.link) return [];
  const isWanted = (from: string, to: string) => edges.some((edge) => edge.from === from && edge.to === to);
  const isNew = (name: string) => request.answers?.has(name) ?? false;
  return members.flatMap(({ cluster: { name: from }, state }) =>
    linksOf(state, desired.lab.uid)
      .filter(({ to }) => concerns(request, from, to) || (!request.only && isGone(to, observed)))
      .filter(({ to }) => !isWanted(from, to) || (isGone(to, observed) && !isNew(to)))
      .map(({ to }) => ({ from, to, federated: state?.extension.federated ?? [] })),
  );
}

export const unlinkStale = (stale: readonly StaleLink[]): Step[] => stale.flatMap((link) => unlinkSteps(link));
