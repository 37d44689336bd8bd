/** Certificates as they are seen, without a file. */
import type { CertificateFacts, ObservedCertificates, ObservedPair } from '../../src/lab/certificates.ts';
import type { DesiredCertificates, OwnAnchor } from '../../src/lab/mesh.ts';
import { resolveCertificates } from '../../src/plan/resolve-links.ts';
import { cluster, lab, linkerd } from './build-lab.ts';

export const NOW = 1_800_000_000;
export const DAY = 86_400;
export const OWN: OwnAnchor = { certificate: '/keys/ca.crt', key: '/keys/ca.key', at: 'lab.yaml:3:5' };

const IDENTITY = 'identity.linkerd.cluster.local';

/** What a lab of clusters `a`, `b` wants. */
export function desiredCertificates(own?: OwnAnchor): DesiredCertificates {
  const mesh = { trustDomain: 'cluster.local', anchor: { lifetime: 3650 * DAY, ...(own && { own }) } };
  const clusters = ['a', 'b'].map((name) => cluster(name, { mesh: linkerd }));
  return resolveCertificates(lab(clusters, { mesh })) as DesiredCertificates;
}

/** A certificate whose fingerprint is `id`. */
export const facts = (id: string, more: Partial<CertificateFacts> = {}): CertificateFacts => ({
  name: 'root.linkerd.cluster.local',
  notBefore: NOW - DAY,
  notAfter: NOW + 300 * DAY,
  fingerprint: id,
  algorithm: 'ECDSA P-256',
  signature: 'ECDSA-SHA256',
  signs: true,
  signedBy: [id],
  ...more,
});

export const issuer = (id: string, signer: string, more: Partial<CertificateFacts> = {}): CertificateFacts =>
  facts(id, { name: IDENTITY, pathLength: 0, signedBy: [signer], ...more });

/** Files of this name; with a certificate its key fits, unless something else is said. */
export const pair = (name: string, certificate?: CertificateFacts, more: Partial<ObservedPair> = {}): ObservedPair => ({
  paths: { certificate: `/s/${name}.crt`, key: `/s/${name}.key` },
  ...(certificate && { certificate, key: { fits: true } }),
  faults: [],
  ...more,
});

export interface Seen {
  readonly bundle?: readonly CertificateFacts[];
  readonly anchor?: ObservedPair;
  readonly next?: ObservedPair;
  readonly own?: ObservedPair;
  readonly a?: ObservedPair;
  readonly b?: ObservedPair;
}

export const observedCertificates = ({ bundle = [], anchor, next, own, a, b }: Seen = {}): ObservedCertificates => ({
  now: NOW,
  bundle: { path: '/s/bundle.crt', trusted: bundle, faults: [] },
  anchors: {
    anchor: anchor ?? pair('anchor'),
    next: next ?? pair('next-anchor'),
    ...(own && { own }),
  },
  issuers: { a: a ?? pair('issuer-a'), b: b ?? pair('issuer-b') },
});

/** All made and in order. */
export const settled = (more: Seen = {}): ObservedCertificates =>
  observedCertificates({
    bundle: [facts('A')],
    anchor: pair('anchor', facts('A', { pathLength: 1 })),
    a: pair('issuer-a', issuer('ia', 'A')),
    b: pair('issuer-b', issuer('ib', 'A')),
    ...more,
  });
