import type { CertificateFacts, ObservedCertificates } from '../lab/certificates.ts';
import type { DesiredCertificates } from '../lab/mesh.ts';
import {
  anchorGone,
  anchorNotTrusted,
  anchorProblems,
  type CertificateProblem,
  type CertificateScene,
  discardProblem,
  isPresent,
  issuerProblems,
  keyProblems,
  unreadableFiles,
} from './certificate-problems.ts';
import { warnOfExpiry } from './judge-certificates.ts';
import { isSignedBy, pairOf, type Rotation, rotationOf, type Slot, trustedSlots } from './rotation.ts';

export type CertificateChange =
  | { readonly kind: 'anchor'; readonly slot: 'anchor' | 'next'; readonly why: string }
  | {
      readonly kind: 'issuer';
      readonly cluster: string;
      readonly signer: Slot;
      readonly replaces: boolean;
      readonly why: string;
    }
  /** Adds anchors to those that clusters trust. */
  | { readonly kind: 'trust'; readonly slots: readonly Slot[]; readonly why: string }
  /** Trusts one anchor only, and puts it in its place. */
  | { readonly kind: 'distrust'; readonly keep: Slot; readonly why: string }
  | { readonly kind: 'discard'; readonly why: string };

export interface CertificateOptions {
  /** The clusters whose issuers the command is about. */
  readonly names: readonly string[];
  readonly rotate?: 'issuer' | 'anchor' | undefined;
  /** Removes the anchor's key once everything is signed. */
  readonly discardKey: boolean;
  /** Names of workloads whose SPIRE signs with it. */
  readonly signing?: readonly string[];
  /** What to type, without flags: `lab certs clusters`. */
  readonly command: string;
}

/** What is to be done; nothing of it while there are problems. */
export interface CertificateDiff {
  readonly rotation: Rotation;
  readonly changes: readonly CertificateChange[];
  readonly problems: readonly CertificateProblem[];
  readonly warnings: readonly string[];
}

type Part = Pick<CertificateDiff, 'changes' | 'problems'>;

/**
 * What `certs` has to make. What is there is checked, and made anew only when that is asked for: traffic goes on with
 * an issuer that Linkerd was given, and ends with an anchor that nobody was told of.
 */
export function diffCertificates(
  desired: DesiredCertificates,
  observed: ObservedCertificates,
  options: CertificateOptions,
): CertificateDiff {
  const rotation = rotationOf(desired, observed);
  const scene: CertificateScene = { desired, observed, rotation, command: options.command };
  const { changes, problems } = findChanges(scene, options);
  const made = changes.flatMap((change) => (change.kind === 'issuer' ? [change.cluster] : []));
  const discard = options.discardKey
    ? discardKey(scene, changes, made, options.signing)
    : { changes: [], problems: [] };
  return {
    rotation,
    changes: [...changes, ...discard.changes],
    problems: [...problems, ...discard.problems],
    warnings: findWarnings(scene, options.names, made),
  };
}

const stop = (problems: readonly CertificateProblem[]): Part => ({ changes: [], problems });

function findChanges(scene: CertificateScene, options: CertificateOptions): Part {
  const unreadable = unreadableFiles(scene);
  if (unreadable.length > 0) return stop(unreadable);
  const isNew = scene.observed.bundle.trusted.length === 0;
  return options.rotate === 'anchor' && !isNew ? rotateAnchor(scene, options) : checkAndMake(scene, options, isNew);
}

function checkAndMake(scene: CertificateScene, { names, rotate }: CertificateOptions, isNew: boolean): Part {
  const { desired, observed, rotation } = scene;
  const { target, signer, phase } = rotation;
  const { certificate, faults } = pairOf(observed, target);
  const isAbsent = target === 'anchor' && !certificate && faults.length === 0;
  const hasIssuers = Object.keys(observed.issuers).some((cluster) => isPresent(observed, cluster));
  if (isAbsent && (!isNew || hasIssuers)) return stop([anchorGone(scene)]);
  const anchors = isAbsent ? [] : [...new Set([target, signer])].flatMap((slot) => anchorProblems(scene, slot));
  // A next anchor that a killed run has only just made is of no account yet.
  const other = phase === 'prepared' && target !== 'next' ? [anchorNotTrusted(scene)] : [];
  if (anchors.length + other.length > 0) return stop([...anchors, ...other]);

  const wanted = desired.issuers.filter(({ cluster }) => names.includes(cluster));
  const isMade = ({ cluster }: { readonly cluster: string }) => rotate === 'issuer' || !isPresent(observed, cluster);
  const issuers = wanted.filter(isMade).map(({ cluster }): CertificateChange => {
    const replaces = isPresent(observed, cluster);
    const why = replaces ? 'asked for by --rotate issuer' : 'the cluster has no issuer';
    return { kind: 'issuer', cluster, signer, replaces, why };
  });
  const clusters = wanted.filter(isMade).map(({ cluster }) => cluster);
  return {
    changes: [
      ...(isAbsent ? [{ kind: 'anchor', slot: 'anchor', why: 'the lab has no trust anchor' } as const] : []),
      ...(isNew
        ? [{ kind: 'trust', slots: trustedSlots(rotation), why: 'what every cluster is told to trust' } as const]
        : []),
      ...issuers,
    ],
    problems: [
      ...wanted.filter((issuer) => !isMade(issuer)).flatMap((issuer) => issuerProblems(scene, issuer)),
      ...(isAbsent ? [] : keyProblems(scene, signer, clusters)),
    ],
  };
}

/** One phase further; see `Rotation`. */
function rotateAnchor(scene: CertificateScene, { names }: CertificateOptions): Part {
  const { desired, observed, rotation } = scene;
  const { phase, target } = rotation;
  const { certificate, faults } = pairOf(observed, target);
  const trust = (slot: Slot): CertificateChange => ({
    kind: 'trust',
    slots: [slot],
    why: 'both are trusted while one is changed for the other',
  });
  if (phase === 'settled' && faults.length === 0 && target !== 'own') {
    const slot = certificate ? 'next' : 'anchor';
    return { changes: [{ kind: 'anchor', slot, why: 'asked for by --rotate anchor' }, trust(slot)], problems: [] };
  }
  const problems = anchorProblems(scene, target);
  if (problems.length > 0) return stop(problems);
  switch (phase) {
    case 'settled':
      return stop([
        {
          at: desired.anchor.own?.at ?? 'command line',
          message: 'the trust anchor is your own, and clusters trust it already',
          hint: 'name the files of the new one here, and repeat this',
          input: true,
        },
      ]);
    case 'prepared':
      return { changes: [trust(target)], problems };
    case 'signed': {
      const why = 'no issuer is signed by the old anchor any more';
      return { changes: [{ kind: 'distrust', keep: target, why }], problems };
    }
    case 'trusted': {
      const clusters = desired.issuers
        .map(({ cluster }) => cluster)
        .filter((cluster) => names.includes(cluster) && !isSignedByTarget(observed, cluster, certificate));
      const changes = clusters.map((cluster): CertificateChange => {
        const why = 'it is to be signed by the new anchor';
        return { kind: 'issuer', cluster, signer: target, replaces: isPresent(observed, cluster), why };
      });
      return { changes, problems: keyProblems(scene, target, clusters) };
    }
  }
}

function isSignedByTarget(
  { issuers }: ObservedCertificates,
  cluster: string,
  target: CertificateFacts | undefined,
): boolean {
  const issuer = issuers[cluster]?.certificate;
  return issuer !== undefined && isSignedBy(issuer, target?.fingerprint);
}

function discardKey(
  scene: CertificateScene,
  changes: readonly CertificateChange[],
  made: readonly string[],
  signing: readonly string[] = [],
): Part {
  const problem = discardProblem(scene, made, signing);
  if (problem) return stop([problem]);
  const isThere = scene.observed.anchors.anchor.key || changes.some(({ kind }) => kind === 'anchor');
  return { changes: isThere ? [{ kind: 'discard', why: 'asked for by --discard-root-key' }] : [], problems: [] };
}

function findWarnings(
  { desired, observed, command }: CertificateScene,
  names: readonly string[],
  made: readonly string[],
): string[] {
  const warn = (certificate: CertificateFacts, what: string, remedy: string) => {
    const expiry = warnOfExpiry(certificate, observed.now);
    return expiry ? [`${what} ${expiry}: ${remedy}`] : [];
  };
  const staying = desired.issuers.filter(({ cluster }) => names.includes(cluster) && !made.includes(cluster));
  return [
    ...observed.bundle.trusted.flatMap((anchor) =>
      warn(anchor, `trust anchor ${anchor.name}`, `${command} --rotate anchor`),
    ),
    ...staying.flatMap(({ cluster }) => {
      const certificate = observed.issuers[cluster]?.certificate;
      return certificate ? warn(certificate, `issuer of ${cluster}`, `${command} ${cluster} --rotate issuer`) : [];
    }),
  ];
}
