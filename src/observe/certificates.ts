import { X509Certificate } from 'node:crypto';
import type { AppliedCluster } from '../lab/observed.ts';
import { formatAddress, parseAddress } from '../net/address.ts';
import type { Provider } from '../providers/provider.ts';
import type { Runner } from '../step/runner.ts';
import type { Container } from '../tools/docker.ts';
import { readFileOf } from './node-file.ts';

/** What the API server showed of its certificate, and of what its cluster was made from. */
interface Answer {
  readonly certificateNames?: string;
  readonly applied?: Pick<AppliedCluster, 'services'>;
}

/**
 * The addresses in the certificates of a cluster's servers, by node. The handshake with a single server shows them
 * without a process; behind a proxy any of several may have answered, so their files are read, where a second family
 * counts.
 */
export async function readCertificates(
  { certificateFile }: Provider,
  servers: readonly Container[],
  { certificateNames, applied }: Answer,
  runner: Runner,
): Promise<Record<string, readonly string[]>> {
  const [server] = servers;
  if (servers.length === 1 && server)
    return certificateNames === undefined ? {} : { [server.name]: addressesOf(certificateNames) };
  if (certificateFile === undefined || (applied?.services.length ?? 0) < 2) return {};
  const read = servers.map(async (one) => {
    const { text } = await readFileOf(one, certificateFile, runner);
    return text === undefined ? [] : [[one.name, addressesOf(namesIn(text))] as const];
  });
  return Object.fromEntries((await Promise.all(read)).flat());
}

/** The names of a certificate; one that cannot be read holds none. */
function namesIn(certificate: string): string {
  try {
    return new X509Certificate(certificate).subjectAltName ?? '';
  } catch {
    return '';
  }
}

/** The IP addresses among the names of a certificate (`DNS:x, IP Address:FD00:1AB:0:0:0:0:0:2`), in canonical text. */
const addressesOf = (names: string): string[] =>
  [...names.matchAll(/IP Address:([^,\s]+)/g)].flatMap(([, text = '']) => {
    const address = parseAddress(text);
    return address ? [formatAddress(address)] : [];
  });
