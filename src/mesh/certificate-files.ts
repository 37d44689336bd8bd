/** Where a lab's certificates and keys are, in its state directory. */
import type { CertificateFiles } from '../lab/mesh.ts';

const files = (name: string): CertificateFiles => ({
  certificate: { file: `certificates/${name}.crt` },
  key: { file: `certificates/${name}.key` },
});

/** What every cluster trusts, for Linkerd's `--identity-trust-anchors-file`. */
export const BUNDLE_FILE = { file: 'certificates/bundle.crt' };

/** The issuer of one cluster, for Linkerd's `--identity-issuer-certificate-file` and `--identity-issuer-key-file`. */
export const issuerFiles = (cluster: string): CertificateFiles => files(`issuer-${cluster}`);
