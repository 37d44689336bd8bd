import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { FailedError } from '../errors.ts';
import { CLOCK_SKEW } from '../step/step.ts';

/** Linkerd takes this for an issuer, and nothing else. */
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' } as const;

/** A certificate with its key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface SignRequest {
  /** The common name. */
  readonly name: string;
  /** Seconds from now on. */
  readonly seconds: number;
  readonly pathLength: number;
  /** Absent: it signs itself. */
  readonly signer?: KeyPair | undefined;
}

/** The certificate and the key that are to sign. */
interface Signer {
  readonly certificate: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
  readonly algorithm: typeof P256 | typeof RSA;
}

/**
 * Makes an ECDSA P-256 key and a CA certificate for it, signed with SHA-256.
 * @throws FailedError when the signer's key is not its certificate's, or cannot sign
 */
export async function makeKeyPair({ name, seconds, pathLength, signer: pem }: SignRequest): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify']);
  const signer = pem && (await readSigner(pem));
  const now = Date.now();
  const wanted = now + seconds * 1000;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: signer?.certificate.subjectName ?? `CN=${name}`,
    serialNumber: randomBytes(16).toString('hex'),
    notBefore: new Date(now - CLOCK_SKEW * 1000),
    notAfter: new Date(Math.min(wanted, signer?.certificate.notAfter.getTime() ?? wanted)),
    publicKey: keys.publicKey,
    signingKey: signer?.key ?? keys.privateKey,
    signingAlgorithm: signer?.algorithm ?? P256,
    extensions: [
      new x509.BasicConstraintsExtension(true, pathLength, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...(signer ? [await identifyAuthority(signer.certificate)] : []),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`,
  };
}

/** By the identifier that the signer gives itself: there is more than one way to make it from a key. */
async function identifyAuthority(signer: x509.X509Certificate): Promise<x509.AuthorityKeyIdentifierExtension> {
  const own = signer.getExtension(x509.SubjectKeyIdentifierExtension);
  return own
    ? new x509.AuthorityKeyIdentifierExtension(own.keyId)
    : x509.AuthorityKeyIdentifierExtension.create(signer.publicKey);
}

async function readSigner({ certificate, key }: KeyPair): Promise<Signer> {
  const object = createPrivateKey(key);
  if (!new X509Certificate(certificate).checkPrivateKey(object))
    throw new FailedError("the trust anchor's key is not its certificate's");
  const algorithm = object.asymmetricKeyType === 'rsa' ? RSA : P256;
  const pkcs8 = object.export({ type: 'pkcs8', format: 'der' });
  return {
    certificate: new x509.X509Certificate(certificate),
    key: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']),
    algorithm,
  };
}
