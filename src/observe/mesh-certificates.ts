import type { CertificateFacts, FileFault, ObservedCertificates, ObservedPair } from '../lab/certificates.ts';
import type { CertificateFiles, DesiredCertificates } from '../lab/mesh.ts';
import { ANCHOR_FILES, BUNDLE_FILE, NEXT_ANCHOR_FILES } from '../mesh/certificate-files.ts';
import type { Parsed } from './parse-certificate.ts';
import { readCertificates, readKey } from './read-certificate.ts';

interface Pair {
  readonly paths: ObservedPair['paths'];
  readonly certificate?: Parsed;
  readonly key?: NonNullable<ObservedPair['key']>;
  readonly faults: readonly FileFault[];
}

/** Reads the certificates of a lab; `pathOf` says where a file of its state directory is. Never throws. */
export async function observeCertificates(
  { anchor: { own }, issuers }: DesiredCertificates,
  pathOf: (file: string) => string,
): Promise<ObservedCertificates> {
  const inState = ({ certificate, key }: CertificateFiles) =>
    readPair({ certificate: pathOf(certificate.file), key: pathOf(key.file) }, true);
  const bundle = await readCertificates(pathOf(BUNDLE_FILE.file));
  const anchors = {
    anchor: await inState(ANCHOR_FILES),
    next: await inState(NEXT_ANCHOR_FILES),
    ...(own && { own: await readPair({ certificate: own.certificate, ...(own.key && { key: own.key }) }, false) }),
  };
  const pairs = await Promise.all(issuers.map(async ({ cluster, files }) => [cluster, await inState(files)] as const));
  const known = [...(bundle.found ?? []), ...Object.values(anchors).flatMap(({ certificate }) => certificate ?? [])];
  const settle = ({ paths, certificate, key, faults }: Pair): ObservedPair => ({
    paths,
    ...(certificate && { certificate: withSigners(certificate, known) }),
    ...(key && { key }),
    faults,
  });
  return {
    now: Math.floor(Date.now() / 1000),
    bundle: {
      path: pathOf(BUNDLE_FILE.file),
      trusted: (bundle.found ?? []).map((one) => withSigners(one, known)),
      faults: bundle.faults,
    },
    anchors: {
      anchor: settle(anchors.anchor),
      next: settle(anchors.next),
      ...(anchors.own && { own: settle(anchors.own) }),
    },
    issuers: Object.fromEntries(pairs.map(([cluster, pair]) => [cluster, settle(pair)])),
  };
}

/** Ours may not be there yet, and their keys may have been discarded; what the user names has to be there. */
async function readPair(paths: Pair['paths'], ours: boolean): Promise<Pair> {
  const { found = [], faults } = await readCertificates(paths.certificate, !ours);
  // Of an issuer's file Linkerd takes the first; but which of several anchors is meant, nobody can tell.
  const several: FileFault[] =
    found.length > 1 && !ours
      ? [{ path: paths.certificate, message: `${found.length} certificates, expected one` }]
      : [];
  const [certificate] = found;
  const key =
    paths.key === undefined ? undefined : await readKey(paths.key, certificate?.certificate, { needed: !ours, ours });
  return {
    paths,
    ...(certificate && { certificate }),
    ...(key?.found && { key: key.found }),
    faults: [...faults, ...several, ...(key?.faults ?? [])],
  };
}

function withSigners({ certificate, facts }: Parsed, anchors: readonly Parsed[]): CertificateFacts {
  const signers = anchors.filter(
    (anchor) => certificate.checkIssued(anchor.certificate) && certificate.verify(anchor.certificate.publicKey),
  );
  return { ...facts, signedBy: [...new Set(signers.map((anchor) => anchor.facts.fingerprint))] };
}
