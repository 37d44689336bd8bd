/** Where a lab's certificates and keys are, in its state directory. */
import type { CertificateFiles } from '../lab/mesh.ts';

const files = (name: string): CertificateFiles => ({
  certificate: { file: `certificates/${name}.crt` },
  key: { file: `certificates/${name}.key` },
});

/** The trust anchor that `lab` made. */
export const ANCHOR_FILES = files('anchor');

/** The one that is to follow it, while one is changed for the other. */
export const NEXT_ANCHOR_FILES = files('next-anchor');

/** What every cluster trusts, for Linkerd's `--identity-trust-anchors-file`. */
export const BUNDLE_FILE = { file: 'certificates/bundle.crt' };

/** The issuer of one cluster, for Linkerd's `--identity-issuer-certificate-file` and `--identity-issuer-key-file`. */
export const issuerFiles = (cluster: string): CertificateFiles => files(`issuer-${cluster}`);
