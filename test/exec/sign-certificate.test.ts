import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { FailedError } from '../../src/errors.ts';
import { makeKeyPair } from '../../src/exec/sign-certificate.ts';
import { asSec1, HAS_OPENSSL, makeCertificate, openssl, type Pair } from '../mesh/authority.ts';
import { makeTemporaryDirectory } from './real-process.ts';

const DAY = 86_400;
const ANCHOR = { name: 'root.linkerd.cluster.local', seconds: 3650 * DAY, pathLength: 1 };
const ISSUER = { name: 'identity.linkerd.cluster.local', seconds: 365 * DAY, pathLength: 0 };

describe('a trust anchor and an issuer', async () => {
  const before = Math.floor(Date.now() / 1000);
  const anchor = await makeKeyPair(ANCHOR);
  const issuer = await makeKeyPair({ ...ISSUER, signer: anchor });

  it.each([
    ['anchor', anchor, ANCHOR],
    ['issuer', issuer, ISSUER],
  ])('%s: name, key, CA, path length, critical usages, random serial number', (_, { certificate, key }, wanted) => {
    const parsed = new x509.X509Certificate(certificate);
    expect(parsed.subject).toBe(`CN=${wanted.name}`);
    expect(parsed.publicKey.algorithm).toMatchObject({ name: 'ECDSA', namedCurve: 'P-256' });
    expect(parsed.signatureAlgorithm).toMatchObject({ name: 'ECDSA', hash: { name: 'SHA-256' } });
    const { ca, pathLength, critical } = parsed.getExtension(x509.BasicConstraintsExtension) ?? {};
    expect({ ca, pathLength, critical }).toEqual({ ca: true, pathLength: wanted.pathLength, critical: true });
    expect(parsed.getExtension(x509.KeyUsagesExtension)).toMatchObject({
      critical: true,
      usages: x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
    });
    expect(parsed.getExtension(x509.SubjectKeyIdentifierExtension)).not.toBeNull();
    expect(parsed.serialNumber).toMatch(/^[0-9a-f]{28,34}$/);
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  });

  it('are backdated by an hour, and valid as long as was asked for', () => {
    const { notBefore, notAfter } = new x509.X509Certificate(issuer.certificate);
    const seconds = (date: Date) => date.getTime() / 1000;
    expect(seconds(notBefore) - before).toBeGreaterThanOrEqual(-3601);
    expect(seconds(notBefore) - before).toBeLessThan(-3600 + 60);
    expect(seconds(notAfter) - seconds(notBefore)).toBe(3600 + ISSUER.seconds);
  });

  it('are signed by the anchor, and say so', () => {
    const [own, below] = [anchor, issuer].map(({ certificate }) => new X509Certificate(certificate));
    for (const one of [own, below]) {
      expect(one?.checkIssued(own as X509Certificate)).toBe(true);
      expect(one?.verify((own as X509Certificate).publicKey)).toBe(true);
    }
    const identifier = new x509.X509Certificate(anchor.certificate).getExtension(x509.SubjectKeyIdentifierExtension);
    const authority = new x509.X509Certificate(issuer.certificate).getExtension(x509.AuthorityKeyIdentifierExtension);
    expect(authority?.keyId).toBe(identifier?.keyId);
  });

  it('never repeat a key or a serial number', async () => {
    const again = await makeKeyPair(ANCHOR);
    expect(again.key).not.toBe(anchor.key);
    expect(new X509Certificate(again.certificate).serialNumber).not.toBe(
      new X509Certificate(anchor.certificate).serialNumber,
    );
  });
});

it('an issuer ends with its anchor at the latest', async () => {
  const signer = await makeCertificate({ to: 10 });
  const { certificate } = await makeKeyPair({ ...ISSUER, signer });
  expect(new X509Certificate(certificate).validTo).toBe(new X509Certificate(signer.certificate).validTo);
});

it('a key that is not the certificate’s signs nothing', async () => {
  const [one, other] = [await makeCertificate(), await makeCertificate()];
  await expect(makeKeyPair({ ...ISSUER, signer: { ...one, key: other.key } })).rejects.toThrow(FailedError);
});

describe.skipIf(!HAS_OPENSSL)('openssl agrees (skipped where there is none)', () => {
  async function verify(signer: Pair): Promise<string> {
    const dir = makeTemporaryDirectory();
    const { certificate } = await makeKeyPair({ ...ISSUER, signer });
    writeFileSync(join(dir, 'anchor'), signer.certificate);
    writeFileSync(join(dir, 'issuer'), certificate);
    expect(openssl('verify', '-x509_strict', '-CAfile', join(dir, 'anchor'), join(dir, 'issuer'))).toContain('OK');
    return openssl('x509', '-noout', '-text', '-in', join(dir, 'issuer'));
  }

  it('with an anchor of ours', async () => {
    const text = await verify(await makeKeyPair(ANCHOR));
    expect(text).toContain('Signature Algorithm: ecdsa-with-SHA256');
    expect(text).toContain('NIST CURVE: P-256');
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0\n/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
  });

  it('with a key in the form of other tools', async () => {
    const anchor = await makeKeyPair(ANCHOR);
    await verify({
      ...anchor,
      key: `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${asSec1(anchor.key)}`,
    });
  });

  it('with an anchor that openssl made: RSA, and a name that is not plain ASCII', async () => {
    const dir = makeTemporaryDirectory();
    const [key, certificate] = [join(dir, 'key'), join(dir, 'certificate')];
    openssl(
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', certificate, '-utf8'],
      ...['-subj', '/C=DE/O=Größe & Söhne, Ltd./CN=My "Root"', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    );
    const read = (file: string) => openssl(file === key ? 'pkey' : 'x509', '-in', file);
    const text = await verify({ certificate: read(certificate), key: read(key) });
    expect(text).toContain('Signature Algorithm: sha256WithRSAEncryption');
  });
});
