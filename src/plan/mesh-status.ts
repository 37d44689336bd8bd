import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import { diffControlPlane } from './diff-linkerd.ts';
import { apiFamily, apiServerOf, diffLink, type Edge, unreachableApi, wantedEdges } from './edges.ts';
import { isStranger, type MeshMember, meshMembers } from './mesh-members.ts';
import type { StatusRow } from './status.ts';

/** Linkerd and the links of one cluster; nothing for a cluster without a mesh. */
export function meshRows(desired: Desired, observed: Observed, name: string): StatusRow[] {
  const members = meshMembers(desired, observed);
  const member = members.find(({ cluster }) => cluster.name === name);
  if (!member) return [];
  const { state } = member;
  if (!state) return [{ cluster: name, thing: 'linkerd', result: 'unknown', have: '?', want: member.version ?? '' }];
  const change = isStranger(member, observed)
    ? { why: 'with another trust anchor' }
    : diffControlPlane(desired, observed, member);
  return [
    {
      cluster: name,
      thing: 'linkerd',
      result: change ? 'drift' : 'ok',
      have: change ? `${state.version ?? 'none'} (${change.why})` : (state.version ?? ''),
      want: member.version ?? '',
    },
    ...linkRow(desired, members, member),
  ];
}

function linkRow(desired: Desired, members: readonly MeshMember[], from: MeshMember): StatusRow[] {
  const edges = wantedEdges(desired, members).filter((edge) => {
    const to = members.find(({ cluster }) => cluster.name === edge.to);
    return edge.from === from.cluster.name && !(to && unreachableApi(desired, from, to));
  });
  const links = from.state?.extension.links ?? [];
  if (edges.length === 0 && links.length === 0) return [];
  const have = links.map((link) => {
    const edge = edges.find(({ to }) => to === link.to);
    const mode = link.record?.mode ?? (link.gateway.length > 0 ? 'gateway' : 'flat');
    const why = edge ? problemOf(desired, members, from, edge) : link.record ? 'nobody asks for it' : undefined;
    return {
      text: `${link.to} (${why ?? (link.ready ? mode : 'its controller does not run')})`,
      good: !why && link.ready,
    };
  });
  const missing = edges.some(({ to }) => !links.some((link) => link.to === to));
  return [
    {
      cluster: from.cluster.name,
      thing: 'links',
      result: missing || have.some(({ good }) => !good) ? 'drift' : 'ok',
      have: have.map(({ text }) => text).join(','),
      want: edges.map(({ to, mode }) => `${to} (${mode})`).join(','),
    },
  ];
}

function problemOf(desired: Desired, members: readonly MeshMember[], from: MeshMember, edge: Edge): string | undefined {
  const to = members.find(({ cluster }) => cluster.name === edge.to);
  const family = to && apiFamily(from.cluster, to.cluster);
  const server = to && family && apiServerOf(desired, to, family);
  // Of a cluster that does not run nothing can be said.
  return server
    ? diffLink(
        edge,
        from.state?.extension.links.find((link) => link.to === edge.to),
        to,
        server,
      )
    : undefined;
}

/** Why the link of an edge is not alive; undefined when it is, as far as it can be seen. */
export function linkProblem(
  desired: Desired,
  members: readonly MeshMember[],
  from: MeshMember,
  edge: Edge,
): string | undefined {
  const link = from.state?.extension.links.find(({ to }) => to === edge.to);
  if (!link) return `${edge.from} has no link to ${edge.to}`;
  const why = problemOf(desired, members, from, edge);
  return why ?? (link.ready ? undefined : `the controller of the link to ${edge.to} does not run`);
}
