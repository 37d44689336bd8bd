import { type KeyObject, type webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { CertificateFacts } from '../lab/certificates.ts';

/** A certificate as it is parsed, before it is known which anchors signed it. */
export interface Parsed {
  readonly certificate: X509Certificate;
  readonly facts: Omit<CertificateFacts, 'signedBy'>;
}

/** Reads one certificate in PEM form. @throws for anything else */
export function parseCertificate(pem: string): Parsed {
  const certificate = new X509Certificate(pem);
  const parsed = new x509.X509Certificate(pem);
  const constraints = parsed.getExtension(x509.BasicConstraintsExtension);
  const usages = parsed.getExtension(x509.KeyUsagesExtension)?.usages ?? x509.KeyUsageFlags.keyCertSign;
  return {
    certificate,
    facts: {
      name: parsed.subjectName.getField('CN')[0] ?? '',
      notBefore: Math.floor(parsed.notBefore.getTime() / 1000),
      notAfter: Math.floor(parsed.notAfter.getTime() / 1000),
      fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      algorithm: describeKey(certificate.publicKey),
      signature: describeSignature(parsed),
      signs: constraints?.ca === true && (usages & x509.KeyUsageFlags.keyCertSign) !== 0,
      ...(constraints?.pathLength !== undefined && { pathLength: constraints.pathLength }),
    },
  };
}

function describeSignature(parsed: x509.X509Certificate): string {
  // The library's types lean on those of a browser, which are not there.
  const { name, hash } = parsed.signatureAlgorithm as unknown as webcrypto.RsaHashedKeyAlgorithm;
  return `${name === 'RSASSA-PKCS1-v1_5' ? 'RSA' : name}-${hash?.name.replace('-', '') ?? 'unknown'}`;
}

const CURVES: Readonly<Record<string, string>> = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' };

function describeKey({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  const { namedCurve = '', modulusLength } = asymmetricKeyDetails ?? {};
  if (asymmetricKeyType === 'ec') return `ECDSA ${CURVES[namedCurve] ?? namedCurve}`;
  return asymmetricKeyType === 'rsa' ? `RSA ${modulusLength}` : (asymmetricKeyType ?? 'unknown').toUpperCase();
}
