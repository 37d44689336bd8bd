import type { Problem } from '../errors.ts';
import type { Cluster, PortMapping } from '../lab/lab.ts';
import type { Declaration, ReadClusters } from './clusters.ts';
import type { LabFile } from './lab-schema.ts';
import { show } from './show.ts';
import { findPlace, type Sourced, whereKey, whereValue } from './source.ts';
import { suggest } from './suggest.ts';

const GROUPS = ['spec', 'groups'];

/** What is wrong between the clusters of a lab, beside their ranges. */
export function findLabProblems(read: ReadClusters, file: LabFile, sourced: Sourced | undefined): Problem[] {
  return [
    ...findDuplicateNames(read.declarations),
    ...findPortProblems(read.clusters),
    ...(sourced ? findLinkProblems(read, file.spec.links, sourced) : []),
    // A check may mean a cluster whose file cannot be read.
    ...(sourced && read.complete ? findCheckProblems(read, file.spec.checks, sourced) : []),
  ];
}

function findDuplicateNames(declarations: readonly Declaration[]): Problem[] {
  const first = new Map<string, string>();
  return declarations.flatMap(({ name, at }) => {
    const other = first.get(name);
    if (other === undefined) first.set(name, at);
    if (other === undefined) return [];
    return { at, message: `a second cluster named ${show(name)}`, hint: `the first is at ${other}` };
  });
}

function findLinkProblems(read: ReadClusters, links: LabFile['spec']['links'], sourced: Sourced): Problem[] {
  const names = new Set(read.declarations.map(({ name }) => name));
  const first = new Map<string, string>();
  return links.flatMap((link, index): Problem[] => {
    const path = ['spec', 'links', index];
    const unknown = (['from', 'to'] as const).filter((key) => read.complete && !names.has(link[key]));
    const problems: Problem[] = unknown.map((key) => {
      const message = `no cluster is named ${show(link[key])}`;
      return { at: whereValue(sourced, [...path, key]), message, ...suggest(link[key], names) };
    });
    const at = whereValue(sourced, path);
    const ends = `from ${show(link.from)} to ${show(link.to)}`;
    if (link.from === link.to) problems.push({ at, message: `a link from ${show(link.from)} to itself` });
    const other = first.get(ends);
    if (other === undefined) first.set(ends, at);
    else problems.push({ at, message: `a second link ${ends}`, hint: `the first is at ${other}` });
    return problems;
  });
}

function findCheckProblems(read: ReadClusters, checks: LabFile['spec']['checks'], sourced: Sourced): Problem[] {
  const names = read.declarations.map(({ name }) => name);
  return checks.flatMap(({ from }, index) => {
    const [cluster = ''] = from.split('/');
    if (names.includes(cluster)) return [];
    const at = whereValue(sourced, ['spec', 'checks', index, 'from']);
    return { at, message: `no cluster is named ${show(cluster)}`, ...suggest(cluster, names) };
  });
}

/**
 * Groups of lab.yaml without a member, whose cluster may be left out for a while; those of the file `own` are for many
 * labs.
 */
export function noteEmptyGroups(
  clusters: readonly Cluster[],
  file: LabFile,
  sourced: Sourced,
  own: string | undefined,
): string[] {
  const used = new Set(clusters.flatMap(({ group }) => group ?? []));
  return Object.keys(file.spec.groups)
    .filter((group) => !used.has(group) && findPlace(sourced, [...GROUPS, group]).source.path !== own)
    .map((group) => {
      const { hint } = suggest(group, used);
      const at = whereKey(sourced, [...GROUPS, group]);
      return `warning: ${at}: no cluster is in group ${show(group)}${hint ? ` (${hint})` : ''}`;
    });
}

function findPortProblems(clusters: readonly Cluster[]): Problem[] {
  const taken = new Map<string, { port: PortMapping; cluster: string }[]>();
  return clusters.flatMap(({ name, ports }) =>
    ports.flatMap((port): Problem[] => {
      const key = `${port.host}/${port.protocol}`;
      const others = taken.get(key) ?? [];
      taken.set(key, others);
      const other = others.find((known) => listenOnSame(known.port, port));
      if (!other) {
        others.push({ port, cluster: name });
        return [];
      }
      const hint = `${other.cluster} has it at ${other.port.at}`;
      return [{ at: port.at, message: `host port ${key} is taken already`, hint }];
    }),
  );
}

function listenOnSame({ listen: a }: PortMapping, { listen: b }: PortMapping): boolean {
  if (a === undefined || b === undefined || a === b) return true;
  const wildcards = [a, b].filter((address) => address === '0.0.0.0' || address === '::');
  return wildcards.some((wildcard) => [a, b].every((address) => address.includes(':') === wildcard.includes(':')));
}
