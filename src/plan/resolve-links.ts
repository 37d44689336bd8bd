import { familiesOf } from '../lab/families.ts';
import type { Cluster, Lab } from '../lab/lab.ts';
import type { DesiredCertificates, DesiredLink, LinkMode } from '../lab/mesh.ts';
import { BUNDLE_FILE, issuerFiles } from '../mesh/certificate-files.ts';
import { MESHES } from '../mesh/index.ts';

type Warn = (text: string) => void;

/** The certificates of a lab; undefined when no cluster has a mesh. */
export function resolveCertificates({ mesh: { trustDomain, anchor }, clusters }: Lab): DesiredCertificates | undefined {
  const issuers = clusters.flatMap(({ name, mesh }) => {
    const names = MESHES[mesh.name].certificateNames;
    if (mesh.name === 'none' || !names) return [];
    return [{ cluster: name, lifetime: mesh.issuerLifetime, files: issuerFiles(name), names }];
  });
  const [first] = issuers;
  if (!first) return undefined;
  return {
    trustDomain,
    anchor: { ...anchor, name: first.names.anchor(trustDomain) },
    bundle: BUNDLE_FILE,
    issuers: issuers.map(({ names, ...issuer }) => ({ ...issuer, name: names.issuer(trustDomain) })),
  };
}

/**
 * Who uses what whom exports: every pair of a group, both ways, in the group's mode, and the lab's `links`, which say
 * it better where both speak of the same edge. Only clusters with the same mesh are linked.
 */
export function resolveLinks(lab: Lab, warn: Warn): DesiredLink[] {
  const edges = [...groupLinks(lab, warn), ...singleLinks(lab, warn)];
  const unique = new Map(edges.map((edge) => [`${edge.from} ${edge.to}`, edge]));
  return [...unique].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, edge]) => edge);
}

function groupLinks({ clusters, groups, links }: Lab, warn: Warn): DesiredLink[] {
  const single = new Set(links.flatMap(({ from, to }) => [`${from} ${to}`, `${to} ${from}`]));
  // Who has written down a link between two clusters knows that the group's cannot be.
  const warnOf = ({ name: one }: Cluster, { name: other }: Cluster): Warn =>
    single.has(`${one} ${other}`) ? () => {} : warn;
  return Object.entries(groups).flatMap(([group, { mode }]) => {
    const members = clusters.filter((cluster) => cluster.group === group);
    return mode === 'routes-only'
      ? []
      : pairsOf(members).flatMap((pair) => pairLinks(pair, group, mode, warnOf(...pair)));
  });
}

const pairsOf = (members: readonly Cluster[]) =>
  members.flatMap((one, index) => members.slice(index + 1).map((other) => [one, other] as const));

function pairLinks(
  [one, other]: readonly [Cluster, Cluster],
  group: string,
  mode: LinkMode,
  warn: Warn,
): DesiredLink[] {
  if (!canLink(one, other)) return [];
  if (mode !== 'gateway' && !shareFamily(one, other)) {
    warn(
      `${one.name} (${one.ipFamily}) and ${other.name} (${other.ipFamily}) share no address family: no ${mode} link between them; a gateway link needs none`,
    );
    return [];
  }
  const edge = { mode, why: `group ${group}` };
  return [
    { from: one.name, to: other.name, ...edge },
    { from: other.name, to: one.name, ...edge },
  ];
}

/** The specs' rules have refused a link whose ends cannot speak to each other at all. */
function singleLinks({ clusters, links }: Lab, warn: Warn): DesiredLink[] {
  return links.flatMap(({ from, to, mode, at }) => {
    const consumer = clusters.find(({ name }) => name === from);
    const exporter = clusters.find(({ name }) => name === to);
    if (!consumer || !exporter) return [];
    if (!canLink(consumer, exporter)) {
      const without = consumer.mesh.name === 'none' ? from : to;
      if (consumer.mesh.name !== exporter.mesh.name)
        warn(`${without} has no mesh: no link from ${from} to ${to} (${at})`);
      return [];
    }
    if (mode !== 'gateway' && (consumer.group === undefined || consumer.group !== exporter.group))
      warn(
        `${from} and ${to} are in no common group, so nothing routes between their pods, which a ${mode} link needs (${at})`,
      );
    return [{ from, to, mode, why: `links (${at})` }];
  });
}

const canLink = (one: Cluster, other: Cluster): boolean =>
  one.mesh.name === other.mesh.name && MESHES[one.mesh.name].certificateNames !== undefined;

const shareFamily = (one: Cluster, other: Cluster): boolean =>
  familiesOf(one).some((family) => familiesOf(other).includes(family));
