import type { CertificateFacts } from '../lab/certificates.ts';
import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import {
  anchorProblems,
  type CertificateProblem,
  type CertificateScene,
  issuerProblems,
  unreadableFiles,
} from './certificate-problems.ts';
import { formatDay } from './judge-certificates.ts';
import { pairOf, rotationOf } from './rotation.ts';
import type { StatusRow } from './status.ts';

/** The trust anchor of a lab, and the issuer of each of these clusters; no row where nothing is meshed. */
export function certsRows(
  { certificates: desired, lab }: Pick<Desired, 'certificates' | 'lab'>,
  { certificates: observed }: Pick<Observed, 'certificates'>,
  names: readonly string[],
): StatusRow[] {
  if (!desired || !observed) return [];
  const rotation = rotationOf(desired, observed);
  const scene: CertificateScene = { desired, observed, rotation, command: `lab certs ${lab.dir}` };
  const anchor = pairOf(observed, rotation.target).certificate;
  const anchors = row(
    '-',
    anchor,
    [...unreadableFiles(scene), ...anchorProblems(scene, rotation.target)],
    desired.anchor.name,
  );
  const unsettled =
    observed.bundle.trusted.length === 0
      ? 'no cluster is told to trust it'
      : rotation.phase === 'settled'
        ? undefined
        : `another one, ${rotation.phase}`;
  return [
    anchors.result === 'ok' && unsettled ? { ...anchors, result: 'drift', have: unsettled } : anchors,
    ...desired.issuers
      .filter(({ cluster }) => names.includes(cluster))
      .map((issuer) =>
        row(issuer.cluster, observed.issuers[issuer.cluster]?.certificate, issuerProblems(scene, issuer), issuer.name),
      ),
  ];
}

function row(
  cluster: string,
  certificate: CertificateFacts | undefined,
  [problem]: readonly CertificateProblem[],
  want: string,
): StatusRow {
  const have =
    problem?.message ?? (certificate ? `${certificate.name} until ${formatDay(certificate.notAfter)}` : 'none');
  return { cluster, thing: 'certs', result: certificate && !problem ? 'ok' : 'drift', have, want };
}
