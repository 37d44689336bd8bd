import type { CertificateFacts, FileFault, ObservedPair } from '../lab/certificates.ts';
import { formatCount } from '../lab/format-count.ts';

/** Linkerd's own check begins to warn then. */
const WARNED_DAYS = 60;
const DAY = 86_400;

/** What Linkerd takes for a trust anchor's key; an issuer's is always P-256. */
const ANCHOR_KEYS = ['ECDSA P-256', 'RSA 2048', 'RSA 4096'];
const ISSUER_KEYS = ['ECDSA P-256'];
const SIGNATURES = ['ECDSA-SHA256', 'RSA-SHA256'];

/** Whole days that a certificate is still valid; negative when it has expired. */
export const daysLeft = ({ notAfter }: Pick<CertificateFacts, 'notAfter'>, now: number): number =>
  Math.floor((notAfter - now) / DAY);

/** The day of a point in time, in UTC. */
export const formatDay = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

/** Why a pair cannot be a trust anchor. */
export function judgeAnchor({ certificate, key, paths, faults }: ObservedPair, now: number): FileFault[] {
  if (!certificate) return [...faults];
  const { pathLength } = certificate;
  const path = paths.certificate;
  return [
    ...faults,
    ...judgeUse(certificate, path, ANCHOR_KEYS, now),
    ...(pathLength === 0
      ? [{ path, message: 'its path length of 0 allows no issuer below it', hint: 'it takes at least 1' }]
      : []),
    ...judgeKey(key, paths),
  ];
}

/** Why a pair cannot be the issuer of this name below the trusted anchors. */
export function judgeIssuer(
  { certificate, key, paths, faults }: ObservedPair,
  { name, trusted, now }: { readonly name: string; readonly trusted: readonly string[]; readonly now: number },
): FileFault[] {
  if (!certificate) return [...faults];
  const path = paths.certificate;
  const { signedBy, signature } = certificate;
  const isKnown = signedBy.some((fingerprint) => trusted.includes(fingerprint));
  return [
    ...faults,
    ...judgeUse(certificate, path, ISSUER_KEYS, now),
    ...(certificate.name === name
      ? []
      : [{ path, message: `it is for ${certificate.name || 'nobody'}, not for ${name}` }]),
    ...(isKnown ? [] : [{ path, message: 'it is signed by another trust anchor' }]),
    ...(SIGNATURES.includes(signature)
      ? []
      : [{ path, message: `its signature is ${signature}; Linkerd takes SHA-256` }]),
    ...(key || faults.length > 0 ? judgeKey(key, paths) : [{ path: paths.key ?? path, message: 'the key is missing' }]),
  ];
}

function judgeUse(
  { algorithm, signs, notBefore, notAfter }: CertificateFacts,
  path: string,
  keys: readonly string[],
  now: number,
): FileFault[] {
  const clock = 'is the clock of this machine right?';
  return [
    ...(keys.includes(algorithm)
      ? []
      : [{ path, message: `its key is ${algorithm}; Linkerd takes ${keys.join(', ')}` }]),
    ...(signs ? [] : [{ path, message: 'it is no CA that may sign certificates' }]),
    ...(now < notBefore ? [{ path, message: `it is not valid before ${formatTime(notBefore)}`, hint: clock }] : []),
    ...(now >= notAfter ? [{ path, message: `it has expired on ${formatTime(notAfter)}` }] : []),
  ];
}

const judgeKey = (key: ObservedPair['key'], { key: path }: ObservedPair['paths']): FileFault[] =>
  key && !key.fits && path !== undefined ? [{ path, message: "the key is not the certificate's" }] : [];

const formatTime = (seconds: number): string =>
  `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

/** That a certificate expires soon; nothing once it has. */
export function warnOfExpiry(certificate: CertificateFacts, now: number): string | undefined {
  const days = daysLeft(certificate, now);
  if (days < 0 || days >= WARNED_DAYS) return undefined;
  return `expires ${days === 0 ? 'today' : `in ${formatCount(days, 'day')}`} (${formatDay(certificate.notAfter)})`;
}
