import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { MeshCell, MeshRequest, MeshSighting } from '../lab/reach.ts';
import { quoteArgv } from '../step/shell.ts';
import { MESH_PROBES } from '../tools/kube-api.ts';
import { type Edge, wantedEdges } from './edges.ts';
import { type MeshMember, meshMembers } from './mesh-members.ts';
import { linkProblem } from './mesh-status.ts';

/** The edges of the named clusters, and what is known of their ends. */
function edgesOf(desired: Desired, observed: Observed, names: readonly string[]) {
  const members = meshMembers(desired, observed);
  const edges = wantedEdges(desired, members).filter(({ from, to }) => names.includes(from) || names.includes(to));
  const member = (name: string) => members.find(({ cluster }) => cluster.name === name);
  return edges.flatMap((edge) => {
    const [from, to] = [member(edge.from), member(edge.to)];
    return from && to ? [{ edge, from, to, members }] : [];
  });
}

/** The requests that are worth sending: over links that are there, between clusters that answer. */
export function meshRequests(desired: Desired, observed: Observed, names: readonly string[]): MeshRequest[] {
  return edgesOf(desired, observed, names)
    .filter(({ edge, from, to }) => to.state && from.state?.extension.links.some((link) => link.to === edge.to))
    .map(({ edge: { from, to, mode } }) => {
      const service = mode === 'gateway' ? MESH_PROBES.gateway : MESH_PROBES.flat;
      return { from, to, service: `${service}-${to}` };
    });
}

/** Anchors, issuer, link and a request of every edge; `now` in seconds. */
export function judgeMesh(
  {
    desired,
    observed,
    names,
  }: { readonly desired: Desired; readonly observed: Observed; readonly names: readonly string[] },
  sightings: readonly MeshSighting[],
  now: number,
): MeshCell[] {
  const line = (verb: string, ...words: string[]) => `lab ${verb} ${desired.lab.dir} ${quoteArgv(words)}`;
  return edgesOf(desired, observed, names).flatMap(({ edge, from, to, members }): MeshCell[] => {
    const cell = (kind: MeshCell['kind'], seen: string, reason?: string, repair?: string): MeshCell => ({
      kind,
      from: { cluster: edge.from },
      to: { cluster: edge.to },
      mode: edge.mode,
      result: reason === undefined ? 'ok' : 'failed',
      seen,
      ...(reason !== undefined && { reason }),
      ...(reason !== undefined && repair !== undefined && { repair }),
    });
    const away = [from, to].find(({ state }) => state === undefined);
    if (away) {
      const { name } = away.cluster;
      if (observed.clusters.some((one) => one.name === name))
        return [cell('link', '', `${name} does not run or does not answer`, line('start', name))];
      const absent = cell('link', '', `${name} does not exist`, line('create', name));
      // Who names two of a group that is not all there asks for these two.
      return [names.includes(name) ? absent : { ...absent, result: 'unmeasured' }];
    }
    if ([from, to].every(({ state }) => state?.version === undefined)) {
      const bare = cell('link', '', 'neither has Linkerd yet', line('linkerd', edge.from, edge.to));
      return [{ ...bare, result: 'unmeasured' }];
    }
    const [anchors, [proxies]] = [anchorProblem(from, to), proxyProblems(from, to)];
    const sighting = sightings.find((one) => one.from === edge.from && one.to === edge.to);
    return [
      cell(
        'anchors',
        shorten(from.state?.anchors).join(','),
        anchors ?? proxies?.reason,
        anchors === undefined ? proxies?.repair : line('linkerd'),
      ),
      cell('issuer', dateOf(to.state?.issuerUntil), issuerProblem(from, to, now), line('linkerd', edge.to)),
      cell('link', edge.mode, linkProblem(desired, members, from, edge), line('link', edge.from)),
      ...(sighting ? [requestCell(cell, edge, sighting, desired, line('link', edge.from))] : []),
    ];
  });
}

const shorten = (fingerprints: readonly string[] = []): string[] =>
  fingerprints.map((one) => one.slice(0, 12)).toSorted();

const dateOf = (seconds: number | undefined): string =>
  seconds === undefined ? '' : new Date(seconds * 1000).toISOString().slice(0, 10);

function anchorProblem(from: MeshMember, to: MeshMember): string | undefined {
  const [one, other] = [shorten(from.state?.anchors), shorten(to.state?.anchors)];
  return one.join() === other.join()
    ? undefined
    : `${from.cluster.name} trusts ${one.join(', ') || 'nobody'}, ${to.cluster.name} ${other.join(', ') || 'nobody'}`;
}

/** Proxies of either end that learned when they started to trust nobody who signed the issuer of one of the two. */
function proxyProblems(from: MeshMember, to: MeshMember): { readonly reason: string; readonly repair: string }[] {
  const signers = [from, to].flatMap(({ state }) => (state?.issuerSignedBy ? [state.issuerSignedBy] : []));
  return [from, to].flatMap(({ cluster: { name }, state }) => {
    const lost = (state?.outdated ?? [])
      .filter(({ anchors }) => signers.some((one) => !one.some((anchor) => anchors.includes(anchor))))
      .map(({ pod }) => pod);
    const [first] = lost;
    if (first === undefined) return [];
    const who = lost.length > 3 ? `${lost.slice(0, 3).join(', ')} and ${lost.length - 3} more` : lost.join(', ');
    return [
      {
        reason: `${who} of ${name} still trust what they learned when they started`,
        repair: `restart them: kubectl --context ${name} --namespace ${first.split('/')[0]} rollout restart deployment`,
      },
    ];
  });
}

/** Whether what answers in `to` shows a certificate that `from` takes. */
function issuerProblem(from: MeshMember, { cluster, state }: MeshMember, now: number): string | undefined {
  if (state?.issuer === undefined) return `${cluster.name} has no issuer`;
  if (state.issuerUntil !== undefined && state.issuerUntil <= now)
    return `the issuer of ${cluster.name} is not valid any more since ${dateOf(state.issuerUntil)}`;
  return state.issuerSignedBy?.some((anchor) => from.state?.anchors.includes(anchor))
    ? undefined
    : `the issuer of ${cluster.name} is signed by nobody whom ${from.cluster.name} trusts`;
}

type MakeCell = (kind: MeshCell['kind'], seen: string, reason?: string, repair?: string) => MeshCell;

function requestCell(
  cell: MakeCell,
  edge: Edge,
  { server, client, problem, unmeasured }: MeshSighting,
  { certificates }: Desired,
  repair: string,
): MeshCell {
  const seen = [client ?? '?', server ?? '?'].join(' → ');
  if (unmeasured)
    return { ...cell('request', ''), result: 'unmeasured', ...(problem !== undefined && { reason: problem }) };
  if (problem !== undefined) return cell('request', seen, problem, repair);
  // By a gateway both ends see the gateway, and not each other.
  const identity = (cluster: string) =>
    `${cluster}.${MESH_PROBES.namespace}.serviceaccount.identity.linkerd.${certificates?.trustDomain}`;
  const expected = edge.mode === 'gateway' ? undefined : { server: identity(edge.to), client: identity(edge.from) };
  const wrong = expected && (expected.server !== server || expected.client !== client);
  return cell('request', seen, wrong ? `expected ${expected.client} → ${expected.server}` : undefined, repair);
}
