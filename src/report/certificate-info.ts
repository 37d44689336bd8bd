import type { CertificateFacts, ObservedCertificates } from '../lab/certificates.ts';
import { daysLeft, formatDay } from '../plan/judge-certificates.ts';
import { formatTable } from './table.ts';

/** What is worth knowing of a certificate, JSON-safe. */
export interface CertificateInfo {
  readonly role: 'trust anchor' | 'issuer';
  /** Of an issuer. */
  readonly cluster?: string;
  /** The common name. */
  readonly name: string;
  /** SHA-256 in hexadecimal digits. */
  readonly fingerprint: string;
  /** The fingerprint of the trust anchor that signed an issuer; absent when none of the lab's did. */
  readonly signedBy?: string;
  readonly notAfter: string;
  /** Whole days; negative when it has expired. */
  readonly daysLeft: number;
}

/** The anchors that clusters are told to trust, and then the issuers of these clusters. */
export function describeCertificates(
  { bundle, issuers, now }: ObservedCertificates,
  clusters: readonly string[],
): CertificateInfo[] {
  const describe = (certificate: CertificateFacts) => ({
    name: certificate.name,
    fingerprint: certificate.fingerprint,
    notAfter: new Date(certificate.notAfter * 1000).toISOString(),
    daysLeft: daysLeft(certificate, now),
  });
  return [
    ...bundle.trusted.map((anchor) => ({ role: 'trust anchor' as const, ...describe(anchor) })),
    ...clusters.flatMap((cluster) => {
      const certificate = issuers[cluster]?.certificate;
      if (!certificate) return [];
      const [signedBy] = certificate.signedBy;
      return [{ role: 'issuer' as const, cluster, ...describe(certificate), ...(signedBy && { signedBy }) }];
    }),
  ];
}

/** `trust-anchor`, or `issuer/smiley`. */
export const certificateId = ({ role, cluster }: CertificateInfo): string =>
  cluster === undefined ? role.replace(' ', '-') : `${role}/${cluster}`;

/** One line a certificate; `wide` shows whole fingerprints. */
export function formatCertificates(infos: readonly CertificateInfo[], wide: boolean): string {
  const shorten = (fingerprint = '') => (wide ? fingerprint : fingerprint.slice(0, 16));
  const rows = infos.map((info) => [
    certificateId(info),
    info.name,
    formatDay(Date.parse(info.notAfter) / 1000),
    String(info.daysLeft),
    shorten(info.fingerprint),
    shorten(info.signedBy),
  ]);
  return formatTable(['CERTIFICATE', 'NAME', 'EXPIRES', 'DAYS', 'FINGERPRINT', 'SIGNED-BY'], rows);
}
