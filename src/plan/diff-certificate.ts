import type { DesiredCluster } from '../lab/desired.ts';
import type { ObservedCluster } from '../lab/observed.ts';
import { PROVIDERS } from '../providers/index.ts';
import type { Change } from './change.ts';

/** Server nodes whose certificate does not hold all their addresses by itself: those of a dual-stack cluster. */
export const serversToCertify = (cluster: DesiredCluster): string[] =>
  cluster.services.length > 1 && PROVIDERS[cluster.spec.provider].make?.certificate
    ? cluster.nodes.flatMap(({ name, role }) => (role === 'server' ? [name] : []))
    : [];

/** An address of a server that its certificate lacks; nothing while it is not known what the certificate holds. */
export function certificateChanges(cluster: DesiredCluster, network: string, existing: ObservedCluster): Change[] {
  const servers = serversToCertify(cluster);
  const lacking = missingFromCertificates(network, existing).filter(({ node }) => servers.includes(node));
  if (lacking.length === 0) return [];
  const nodes = lacking.map(({ node }) => node);
  const missing = lacking.flatMap(({ addresses }) => addresses).join(', ');
  return [
    { kind: 'certificate', cluster: cluster.name, nodes, why: `the API server's certificate does not hold ${missing}` },
  ];
}

/** Servers with the addresses on a network that their certificates do not hold, as far as those were read. */
export function missingFromCertificates(
  network: string,
  { nodes, certificates = {} }: ObservedCluster,
): { readonly node: string; readonly addresses: readonly string[] }[] {
  return nodes.flatMap(({ name, networks }) => {
    const held = certificates[name];
    const addresses = held ? (networks[network] ?? []).filter((address) => !held.includes(address)) : [];
    return addresses.length > 0 ? [{ node: name, addresses }] : [];
  });
}
