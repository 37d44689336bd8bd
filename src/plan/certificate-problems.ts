/** What stands in the way of making certificates, each with what to type or to change. */
import { explainError, FailedError, InputError, type Problem } from '../errors.ts';
import type { FileFault, ObservedCertificates } from '../lab/certificates.ts';
import type { DesiredCertificates } from '../lab/mesh.ts';
import { judgeAnchor, judgeIssuer } from './judge-certificates.ts';
import { pairOf, type Rotation, type Slot, trustedSlots } from './rotation.ts';

/** `input`: of what the user wrote, or of a file that is named there. */
export type CertificateProblem = Problem & { readonly input: boolean };

export interface CertificateScene {
  readonly desired: DesiredCertificates;
  readonly observed: ObservedCertificates;
  readonly rotation: Rotation;
  /** What to type, without flags: `lab certs clusters`. */
  readonly command: string;
}

/** A file that is named in lab.yaml is wrong input; one of lab's own that is not right any more is a failure. */
export function explainProblems(problems: readonly CertificateProblem[]): Error {
  const all = new InputError(problems.map(({ input, ...problem }) => problem));
  return problems.some(({ input }) => input) ? all : new FailedError(explainError(all));
}

const ofOurFile = ({ path, message, hint }: FileFault, what: string, remedy: string): CertificateProblem => ({
  at: path,
  message: `${what}: ${message}`,
  hint: hint ?? remedy,
  input: false,
});

/** Files without which nothing can be said. */
export function unreadableFiles({ observed: { bundle, anchors } }: CertificateScene): CertificateProblem[] {
  return [
    ...bundle.faults.map((fault) => ofOurFile(fault, 'trusted anchors', 'remove it')),
    ...(anchors.own ? [] : anchors.next.faults.map((fault) => ofOurFile(fault, 'next trust anchor', 'remove it'))),
  ];
}

/** Why an anchor can neither be trusted nor sign. */
export function anchorProblems(
  { desired, observed, rotation, command }: CertificateScene,
  slot: Slot,
): CertificateProblem[] {
  const pair = pairOf(observed, slot);
  const faults = judgeAnchor(pair, observed.now);
  const { own, name } = desired.anchor;
  if (slot === 'own' && own) {
    const remedy = 'name another one in spec.mesh.certificates.anchor';
    return faults.map(({ path, message, hint = remedy }) => ({
      at: own.at,
      message: `trust anchor ${path}: ${message}`,
      hint,
      input: true,
    }));
  }
  const called = pair.certificate?.name ?? name;
  const path = pair.paths.certificate;
  const renamed =
    slot !== rotation.target || called === name
      ? []
      : [{ path, message: `it is called ${called}, and with this trust domain it would be ${name}` }];
  const remedy = `a new one: ${command} --rotate anchor`;
  return [...faults, ...renamed].map((fault) => ofOurFile(fault, 'trust anchor', remedy));
}

/** Why the issuer of a cluster is of no use to Linkerd; nothing where there is none. */
export function issuerProblems(
  { observed, command, rotation }: CertificateScene,
  { cluster, name }: DesiredCertificates['issuers'][number],
): CertificateProblem[] {
  const pair = observed.issuers[cluster];
  if (!pair) return [];
  const { now, bundle } = observed;
  const { trusted } = bundle;
  const anchors =
    trusted.length > 0 ? trusted : trustedSlots(rotation).map((slot) => pairOf(observed, slot).certificate);
  const fingerprints = anchors.flatMap((anchor) => anchor?.fingerprint ?? []);
  const remedy = pairOf(observed, rotation.signer).key?.fits
    ? `a new one: ${command} ${cluster} --rotate issuer`
    : `put one there that is right, with its key: ${pair.paths.certificate}, ${pair.paths.key}`;
  return judgeIssuer(pair, { name, trusted: fingerprints, now }).map((fault) =>
    ofOurFile(fault, `issuer of ${cluster}`, remedy),
  );
}

/** Nothing can be signed without the anchor's key. */
export function keyProblems(
  { desired, observed, command }: CertificateScene,
  signer: Slot,
  clusters: readonly string[],
): CertificateProblem[] {
  const { key, paths } = pairOf(observed, signer);
  if (key?.fits || clusters.length === 0) return [];
  const { own } = desired.anchor;
  if (signer !== 'own' || !own) {
    return [
      {
        at: paths.key ?? paths.certificate,
        message: `no issuer for ${clusters.join(', ')}: the key of the trust anchor is gone, or was discarded`,
        hint: `put it back, or change to a new anchor: ${command} --rotate anchor`,
        input: false,
      },
    ];
  }
  const name = desired.issuers[0]?.name;
  const files = clusters.map((cluster) => observed.issuers[cluster]?.paths);
  return [
    {
      at: own.at,
      message: `no issuer for ${clusters.join(', ')}, and no key to sign one`,
      hint: [
        'name the key (spec.mesh.certificates.anchor.key),',
        `or sign them elsewhere (ECDSA P-256, a CA with path length 0, common name ${name}) and put them there:`,
        ...files.map((paths) => `${paths?.certificate} and ${paths?.key}`),
      ].join('\n'),
      input: true,
    },
  ];
}

export function anchorGone({ observed, command }: CertificateScene): CertificateProblem {
  return {
    at: observed.anchors.anchor.paths.certificate,
    message: 'the trust anchor is gone, but clusters may trust it still',
    hint: `put it back (what clusters trust is in ${observed.bundle.path}), or change to a new one: ${command} --rotate anchor`,
    input: false,
  };
}

export function anchorNotTrusted({ desired: { anchor }, observed, command }: CertificateScene): CertificateProblem {
  return {
    at: anchor.own?.at ?? observed.anchors.anchor.paths.certificate,
    message: 'clusters trust another anchor than this one',
    hint: `to change over to this one: ${command} --rotate anchor`,
    input: anchor.own !== undefined,
  };
}

/** Why the key of the anchor cannot be removed once the issuers of `made` are signed. */
export function discardProblem(
  { desired, observed, rotation, command }: CertificateScene,
  made: readonly string[],
  signing: readonly string[],
): CertificateProblem | undefined {
  const refuse = (message: string, hint: string) => ({
    at: desired.anchor.own?.at ?? 'command line',
    message: `--discard-root-key: ${message}`,
    hint,
    input: true,
  });
  if (desired.anchor.own)
    return refuse('the key of the trust anchor is your own', 'leave it out of lab.yaml once all issuers are signed');
  if (rotation.phase !== 'settled')
    return refuse('the trust anchor is being changed, which takes its key', `first finish: ${command} --rotate anchor`);
  if (signing.length > 0)
    return refuse(`SPIRE beside ${signing.join(', ')} signs with it`, 'first take spire out of those files');
  const without = desired.issuers
    .map(({ cluster }) => cluster)
    .filter((cluster) => !made.includes(cluster) && !isPresent(observed, cluster));
  if (without.length === 0) return undefined;
  return refuse(`${without.join(', ')} would never get an issuer`, `all at once: ${command} --discard-root-key`);
}

/** A file that cannot be read is not taken for none. */
export function isPresent({ issuers }: ObservedCertificates, cluster: string): boolean {
  const { certificate, faults = [] } = issuers[cluster] ?? {};
  return certificate !== undefined || faults.length > 0;
}
