import { createHash, X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ObservedCertificates } from '../../src/lab/certificates.ts';
import type { DesiredCertificates } from '../../src/lab/mesh.ts';
import { observeCertificates } from '../../src/observe/mesh-certificates.ts';
import { resolveCertificates } from '../../src/plan/resolve-links.ts';
import { encrypted, makeCertificate, type Pair } from '../mesh/authority.ts';
import { cluster, lab, linkerd } from '../plan/build-lab.ts';

const ISSUER = 'identity.linkerd.cluster.local';

/** Reads a state directory with these files (below `certificates/`), keys as `lab` leaves them. */
function stage(files: Readonly<Record<string, string>>) {
  const dir = mkdtempSync(join(tmpdir(), 'lab-certificates-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, 'certificates', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: name.endsWith('.key') ? 0o600 : 0o644 });
  }
  const desired = resolveCertificates(lab([cluster('a', { mesh: linkerd })])) as DesiredCertificates;
  const at = (name: string) => join(dir, 'certificates', name);
  const read = (own?: DesiredCertificates['anchor']['own']): Promise<ObservedCertificates> =>
    observeCertificates({ ...desired, anchor: { ...desired.anchor, ...(own && { own }) } }, (file) => join(dir, file));
  return { dir, at, read };
}

const files = (name: string, { certificate, key }: Pair) => ({ [`${name}.crt`]: certificate, [`${name}.key`]: key });
const digest = (pem: string) => createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');

it('reads nothing of nothing', async () => {
  const { read, at } = stage({});
  const paths = (name: string) => ({ certificate: at(`${name}.crt`), key: at(`${name}.key`) });
  expect(await read()).toEqual({
    now: expect.any(Number),
    bundle: { path: at('bundle.crt'), trusted: [], faults: [] },
    anchors: { anchor: { paths: paths('anchor'), faults: [] }, next: { paths: paths('next-anchor'), faults: [] } },
    issuers: { a: { paths: paths('issuer-a'), faults: [] } },
  });
});

it('says what certificates say, who signed them, and whether keys fit', async () => {
  const anchor = await makeCertificate({ kind: 'RSA-2048', pathLength: 1, from: -2, to: 10 });
  const next = await makeCertificate({ name: 'next' });
  const issuer = await makeCertificate({ name: ISSUER, signer: next, pathLength: 0 });
  const { read } = stage({
    ...files('anchor', anchor),
    ...files('next-anchor', { ...next, key: anchor.key }),
    ...files('issuer-a', issuer),
    'bundle.crt': `some words\n${anchor.certificate}${next.certificate}`,
  });
  const { anchors, bundle, issuers, now } = await read();
  const own = digest(anchor.certificate);
  expect(anchors.anchor).toMatchObject({ key: { fits: true }, faults: [] });
  expect(anchors.anchor.certificate).toEqual({
    name: 'root.linkerd.cluster.local',
    notBefore: expect.any(Number),
    notAfter: expect.any(Number),
    fingerprint: own,
    algorithm: 'RSA 2048',
    signature: 'RSA-SHA256',
    signs: true,
    pathLength: 1,
    signedBy: [own],
  });
  expect((anchors.anchor.certificate?.notAfter ?? 0) - now).toBeGreaterThan(9.9 * 86_400);
  expect(bundle.trusted.map(({ name }) => name)).toEqual(['root.linkerd.cluster.local', 'next']);
  expect(anchors.next.key).toEqual({ fits: false });
  expect(issuers.a?.certificate).toMatchObject({
    algorithm: 'ECDSA P-256',
    signature: 'ECDSA-SHA256',
    pathLength: 0,
    signedBy: [digest(next.certificate)],
  });
});

it.each([
  [
    { kind: 'P-384', hash: 'SHA-384' },
    { algorithm: 'ECDSA P-384', signature: 'ECDSA-SHA384' },
  ],
  [{ kind: 'RSA-1024' }, { algorithm: 'RSA 1024' }],
  [{ ca: false }, { signs: false }],
] as const)('%j', async (words, facts) => {
  const { read } = stage(files('anchor', await makeCertificate(words)));
  expect((await read()).anchors.anchor.certificate).toMatchObject(facts);
});

it('of an issuer’s chain takes the first, as Linkerd does', async () => {
  const anchor = await makeCertificate();
  const issuer = await makeCertificate({ name: ISSUER, signer: anchor });
  const chain = { ...issuer, certificate: issuer.certificate + anchor.certificate };
  const { read } = stage(files('issuer-a', chain));
  expect((await read()).issuers.a).toMatchObject({ certificate: { name: ISSUER }, key: { fits: true }, faults: [] });
});

it('a name alone makes nobody a signer', async () => {
  const [anchor, namesake] = [await makeCertificate(), await makeCertificate()];
  const issuer = await makeCertificate({ name: ISSUER, signer: namesake });
  const { read } = stage({ ...files('anchor', anchor), ...files('issuer-a', issuer) });
  expect((await read()).issuers.a?.certificate?.signedBy).toEqual([]);
});

describe('a file that cannot be used', async () => {
  const pair = await makeCertificate();
  const faultsOf = async (changed: Readonly<Record<string, string>>, prepare?: (path: string) => void) => {
    const { read, at } = stage({ ...files('anchor', pair), ...changed });
    prepare?.(at('anchor.key'));
    const { faults, key } = (await read()).anchors.anchor;
    return { key, faults: faults.map(({ path, ...fault }) => ({ file: basename(path), ...fault })) };
  };

  it.each([
    ['words', 'no certificate\n', 'not a certificate in PEM form'],
    ['an empty file', '', 'not a certificate in PEM form'],
    ['a key', pair.key, 'not a certificate in PEM form'],
    [
      'PEM garbage',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      expect.stringMatching(/^not a certificate: /),
    ],
  ])('as a certificate: %s', async (_, text, message) => {
    expect((await faultsOf({ 'anchor.crt': text })).faults).toEqual([
      expect.objectContaining({ file: 'anchor.crt', message }),
    ]);
  });

  it.each([
    ['words', 'no key\n', 'not a private key in PEM form'],
    ['PEM garbage', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'not a private key in PEM form'],
    ['PKCS8 with a passphrase', encrypted(pair.key).pkcs8, 'an encrypted key'],
    ['SEC1 with a passphrase', encrypted(pair.key).sec1, 'an encrypted key'],
  ])('as a key: %s', async (_, text, message) => {
    const { key, faults } = await faultsOf({ 'anchor.key': text });
    expect(key).toBeUndefined();
    expect(faults).toEqual([expect.objectContaining({ file: 'anchor.key', message })]);
  });

  it('because others can read a key of ours', async () => {
    const { faults } = await faultsOf({}, (path) => chmodSync(path, 0o640));
    expect(faults).toEqual([
      {
        file: 'anchor.key',
        message: 'a key that others can read',
        hint: expect.stringMatching(/^chmod 600 \/.*\/anchor\.key$/),
      },
    ]);
  });

  it.skipIf(process.getuid?.() === 0)('because it cannot be read (skipped for root, who reads all)', async () => {
    const { faults } = await faultsOf({}, (path) => chmodSync(path, 0));
    expect(faults).toEqual([expect.objectContaining({ message: 'cannot be read: permission denied' })]);
  });

  it('because it is a directory', async () => {
    const { faults } = await faultsOf({}, (path) => {
      rmSync(path);
      mkdirSync(path);
    });
    expect(faults).toEqual([{ file: 'anchor.key', message: 'not a regular file' }]);
  });
});

describe('an anchor of the user’s own', async () => {
  const pair = await makeCertificate();

  it('has to be there, with the key that is named, and to be one', async () => {
    const { read, at } = stage({ 'two.crt': pair.certificate + (await makeCertificate()).certificate });
    const missing = await read({ certificate: at('no.crt'), key: at('no.key'), at: 'lab.yaml:2:3' });
    expect(missing.anchors.own?.faults).toEqual([
      { path: at('no.crt'), message: 'no such file' },
      { path: at('no.key'), message: 'no such file' },
    ]);
    const two = await read({ certificate: at('two.crt'), at: 'lab.yaml:2:3' });
    expect(two.anchors.own?.faults).toEqual([{ path: at('two.crt'), message: '2 certificates, expected one' }]);
  });

  it('needs no key, and its key may be readable for others', async () => {
    const { read, at } = stage(files('mine', pair));
    const own = { certificate: at('mine.crt'), at: 'lab.yaml:2:3' };
    const without = (await read(own)).anchors.own;
    expect(without).toMatchObject({ paths: { certificate: own.certificate }, faults: [] });
    expect(without).not.toHaveProperty('key');
    chmodSync(at('mine.key'), 0o644);
    expect((await read({ ...own, key: at('mine.key') })).anchors.own).toMatchObject({
      key: { fits: true },
      faults: [],
    });
  });
});

it('tells nothing of a key', async () => {
  const anchor = await makeCertificate();
  const broken = anchor.key.replace('\n', '\nAAAA');
  const { read } = stage({ ...files('anchor', anchor), ...files('issuer-a', { ...anchor, key: broken }) });
  const text = JSON.stringify(await read());
  for (const line of anchor.key.trim().split('\n').slice(1, -1)) expect(text).not.toContain(line);
});
