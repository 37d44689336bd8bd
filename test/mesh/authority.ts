/** Certificates of every kind, also of those that nobody should use. */
import { spawnSync } from 'node:child_process';
import { createPrivateKey, type webcrypto as types, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

type KeyKind = 'P-256' | 'P-384' | 'RSA-1024' | 'RSA-2048' | 'RSA-4096';

/** PEM. */
export interface Pair {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificateWords {
  readonly name?: string;
  readonly kind?: KeyKind;
  /** Days from now. */
  readonly from?: number;
  readonly to?: number;
  readonly pathLength?: number;
  readonly ca?: boolean;
  readonly hash?: 'SHA-256' | 'SHA-384';
  /** Absent: it signs itself. */
  readonly signer?: Pair;
}

const DAY = 86_400_000;

function algorithmOf(kind: KeyKind, hash = 'SHA-256') {
  if (kind === 'P-256' || kind === 'P-384') return { name: 'ECDSA', namedCurve: kind, hash };
  const modulusLength = Number(kind.slice(4));
  return { name: 'RSASSA-PKCS1-v1_5', hash, modulusLength, publicExponent: new Uint8Array([1, 0, 1]) };
}

/** A CA certificate with its key, as `words` say it; by default a trust anchor that Linkerd takes. */
export async function makeCertificate(words: CertificateWords = {}): Promise<Pair> {
  const { name = 'root.linkerd.cluster.local', kind = 'P-256', from = -1, to = 365, ca = true, signer } = words;
  const keys: types.CryptoKeyPair = await webcrypto.subtle.generateKey(algorithmOf(kind), true, ['sign', 'verify']);
  const own = { key: keys.privateKey, algorithm: algorithmOf(kind, words.hash) };
  const { key, algorithm } = signer ? await importKey(signer.key, words.hash) : own;
  const usage = ca ? x509.KeyUsageFlags.keyCertSign : x509.KeyUsageFlags.digitalSignature;
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: signer ? new x509.X509Certificate(signer.certificate).subjectName : `CN=${name}`,
    notBefore: new Date(Date.now() + from * DAY),
    notAfter: new Date(Date.now() + to * DAY),
    publicKey: keys.publicKey,
    signingKey: key,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(ca, words.pathLength, true),
      new x509.KeyUsagesExtension(usage, true),
    ],
  });
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`,
  };
}

async function importKey(pem: string, hash?: string) {
  const key = createPrivateKey(pem);
  const algorithm = algorithmOf(key.asymmetricKeyType === 'rsa' ? 'RSA-2048' : 'P-256', hash);
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  return { key: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']), algorithm };
}

/** The same key behind a passphrase, in both forms that there are. */
export const encrypted = (pem: string) => ({
  pkcs8: createPrivateKey(pem)
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString(),
  sec1: createPrivateKey(pem)
    .export({ type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' })
    .toString(),
});

/** A key as other tools write it. */
export const asSec1 = (pem: string): string => createPrivateKey(pem).export({ type: 'sec1', format: 'pem' }).toString();

/** Whether there is an openssl to compare with; tests that want it say that they were skipped where there is none. */
export const HAS_OPENSSL = spawnSync('openssl', ['version']).status === 0;

/** What openssl says; fails with it when that is no success. */
export function openssl(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}
