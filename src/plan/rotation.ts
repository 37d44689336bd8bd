import type { CertificateFacts, ObservedCertificates, ObservedPair } from '../lab/certificates.ts';
import type { DesiredCertificates } from '../lab/mesh.ts';

/** Which of a lab's trust anchors is meant. */
export type Slot = keyof ObservedCertificates['anchors'];

/**
 * How far the change from one trust anchor to another is. No proxy may meet a certificate of an anchor that it does not
 * trust, so Linkerd is applied to every cluster between two phases.
 * `settled`: one anchor. `prepared`: another one is there, and nobody trusts it yet. `trusted`: both are trusted, and
 * issuers are still signed by the old one. `signed`: all issuers are signed by the new one, and the old one can go.
 */
export interface Rotation {
  readonly phase: 'settled' | 'prepared' | 'trusted' | 'signed';
  /** What everything is signed by in the end. */
  readonly target: Slot;
  /** What signs an issuer that is made now, so that every proxy of the lab trusts it. */
  readonly signer: Slot;
}

/** Nothing of it is remembered: the files say it. */
export function rotationOf(desired: DesiredCertificates, observed: ObservedCertificates): Rotation {
  const { anchors, bundle, issuers } = observed;
  const target = anchors.own ? 'own' : anchors.next.certificate ? 'next' : 'anchor';
  const { certificate } = pairOf(observed, target);
  const trusted = bundle.trusted.map(({ fingerprint }) => fingerprint);
  if (!certificate || trusted.length === 0) return { phase: 'settled', target, signer: target };
  const { fingerprint } = certificate;
  const old = anchors.anchor.certificate;
  const canStillSign = target !== 'anchor' && anchors.anchor.key?.fits && old && trusted.includes(old.fingerprint);
  const signer = canStillSign ? 'anchor' : target;
  if (!trusted.includes(fingerprint)) return { phase: 'prepared', target, signer };
  // A next anchor that is alone in the bundle only has to take its place.
  if (target !== 'next' && trusted.every((one) => one === fingerprint))
    return { phase: 'settled', target, signer: target };
  const present = desired.issuers.flatMap(({ cluster }) => issuers[cluster]?.certificate ?? []);
  return present.every((issuer) => isSignedBy(issuer, fingerprint))
    ? { phase: 'signed', target, signer: target }
    : { phase: 'trusted', target, signer };
}

/** What clusters trust, when that has to be written anew. */
export const trustedSlots = ({ target }: Rotation): readonly Slot[] =>
  target === 'next' ? ['anchor', 'next'] : [target];

export const isSignedBy = ({ signedBy }: CertificateFacts, fingerprint: string | undefined): boolean =>
  fingerprint !== undefined && signedBy.includes(fingerprint);

/** The files of an anchor; those of the user's own are only asked for where there is one. */
export const pairOf = ({ anchors }: ObservedCertificates, slot: Slot): ObservedPair => anchors[slot] ?? anchors.anchor;

/** Where a change of the trust anchor stands, and what comes next; nothing when none is on its way. */
export function describeRotation({ phase }: Rotation, dir: string): string | undefined {
  const again = `lab certs ${dir} --rotate anchor`;
  switch (phase) {
    case 'settled':
      return undefined;
    case 'prepared':
      return `another trust anchor is there, and no cluster trusts it yet; next: ${again}`;
    case 'trusted':
      return `step 1 of 3 to another trust anchor: both are trusted. Next: lab linkerd ${dir}, a restart of every meshed workload of yours (a proxy learns what to trust when it starts), and then: ${again}`;
    case 'signed':
      return `step 2 of 3 to another trust anchor: it has signed all issuers. Next: lab linkerd ${dir}; once every proxy has a certificate of its new issuer (within a day, or after a restart): ${again}`;
  }
}
