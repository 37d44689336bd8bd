import type { ObservedCertificates } from '../lab/certificates.ts';
import { formatCount } from '../lab/format-count.ts';
import type { DesiredCertificates } from '../lab/mesh.ts';
import { ANCHOR_FILES, BUNDLE_FILE, NEXT_ANCHOR_FILES } from '../mesh/certificate-files.ts';
import type { CertificateAction, CertificateStep, KeyPairFiles, Plan } from '../step/step.ts';
import type { CertificateChange, CertificateDiff } from './diff-certificates.ts';
import { pairOf, type Slot } from './rotation.ts';

interface Scene {
  readonly desired: DesiredCertificates;
  readonly observed: ObservedCertificates;
}

/** The steps of certificate changes: no cluster's issuer waits for another's. */
export function certificateSteps(
  desired: DesiredCertificates,
  observed: ObservedCertificates,
  changes: readonly CertificateChange[],
): CertificateStep[] {
  const steps: CertificateStep[] = [];
  for (const change of changes) {
    // A key is removed last; everything else waits for the anchor only, where one is made.
    const anchors = steps.filter(({ action }) => action.do === 'make' && !action.signer);
    const needs = (change.kind === 'discard' ? steps : anchors).map(({ id }) => id);
    steps.push(...stepsOf(change, { desired, observed }, needs));
  }
  return steps;
}

/** The plan of `lab certs`. */
export function planCertificates(
  { lab, desired, observed }: Scene & { readonly lab: Plan['lab'] },
  { changes, warnings }: Pick<CertificateDiff, 'changes' | 'warnings'>,
): Plan {
  const steps = certificateSteps(desired, observed, changes);
  const made = steps.filter(({ action }) => action.do === 'make').length;
  const others = steps.length - made;
  const rest = others === 0 ? '' : `, ${formatCount(others, 'other change')}`;
  return {
    version: 1,
    lab: { name: lab.name, uid: lab.uid },
    verb: 'certs',
    summary: `Plan: ${formatCount(made, 'certificate')} to make${rest}.`,
    warnings,
    steps,
  };
}

function stepsOf(change: CertificateChange, scene: Scene, needs: readonly string[]): CertificateStep[] {
  const { desired, observed } = scene;
  const { anchor } = desired;
  const { why } = change;
  switch (change.kind) {
    case 'anchor': {
      const [id, files] =
        change.slot === 'next' ? (['next-anchor', NEXT_ANCHOR_FILES] as const) : (['anchor', ANCHOR_FILES] as const);
      const action = {
        do: 'make',
        name: anchor.name,
        seconds: anchor.lifetime,
        pathLength: 1,
        files,
        replaces: false,
      } as const;
      return [shared(id, `make trust anchor ${anchor.name}`, action, needs, why)];
    }
    case 'trust': {
      const kept = observed.bundle.trusted.length > 0 ? [BUNDLE_FILE] : [];
      const from = [...kept, ...change.slots.map((slot) => anchorFiles(scene.desired, slot).certificate)];
      const title = from.length > 1 ? 'trust both anchors' : 'trust the anchor';
      return [shared('bundle', title, { do: 'bundle', from, to: BUNDLE_FILE }, needs, why)];
    }
    case 'issuer':
      return [issuerStep(change, scene, needs)];
    case 'distrust': {
      const from = [anchorFiles(scene.desired, change.keep).certificate];
      const bundle = shared('bundle', 'trust only the new anchor', { do: 'bundle', from, to: BUNDLE_FILE }, needs, why);
      return [bundle, ...retireSteps(change.keep, [bundle.id])];
    }
    case 'discard':
      return [
        shared('discard-key', "remove the trust anchor's key", { do: 'remove', files: [ANCHOR_FILES.key] }, needs, why),
      ];
  }
}

/** What becomes of the anchor that is trusted no more. */
function retireSteps(keep: Slot, needs: readonly string[]): CertificateStep[] {
  if (keep === 'anchor') return [];
  const action: CertificateAction =
    keep === 'next'
      ? { do: 'move', from: NEXT_ANCHOR_FILES, to: ANCHOR_FILES }
      : { do: 'remove', files: [...Object.values(ANCHOR_FILES), ...Object.values(NEXT_ANCHOR_FILES)] };
  return [
    shared('retire', keep === 'next' ? 'put the new anchor in its place' : "remove lab's own anchor", action, needs),
  ];
}

function issuerStep(
  { cluster, signer, replaces, why }: CertificateChange & { readonly kind: 'issuer' },
  scene: Scene,
  needs: readonly string[],
): CertificateStep {
  const { desired, observed } = scene;
  const issuer = desired.issuers.find((one) => one.cluster === cluster);
  if (!issuer) throw new TypeError(`an issuer for ${cluster}, which has no mesh`);
  const { name, lifetime, files } = issuer;
  const signedUntil = pairOf(observed, signer).certificate?.notAfter;
  const action: CertificateAction = {
    do: 'make',
    name,
    // It fails together with the anchor at the latest.
    seconds: signedUntil === undefined ? lifetime : Math.min(lifetime, signedUntil - observed.now),
    pathLength: 0,
    signer: anchorFiles(scene.desired, signer),
    files,
    replaces,
  };
  return {
    ...step(`${cluster}/issuer`, `sign issuer ${name}`, action, needs, why),
    clusters: [cluster],
  };
}

/** Where an anchor and its key are. */
export function anchorFiles({ anchor }: DesiredCertificates, slot: Slot): KeyPairFiles {
  if (slot === 'next') return NEXT_ANCHOR_FILES;
  const { own } = anchor;
  return slot === 'own' && own ? { certificate: own.certificate, key: own.key ?? '' } : ANCHOR_FILES;
}

const shared = (id: string, title: string, action: CertificateAction, needs: readonly string[], why?: string) =>
  step(`certificates/${id}`, title, action, needs, why);

const step = (
  id: string,
  title: string,
  action: CertificateAction,
  needs: readonly string[],
  why?: string,
): CertificateStep => ({
  kind: 'certificate',
  id,
  title,
  clusters: [],
  needs,
  timeout: 30,
  ...(why !== undefined && { why }),
  action,
});
