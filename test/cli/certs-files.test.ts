/** Certificates that are not as `lab` made them: the user's own anchor, and files that somebody has changed. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CertificateWords, encrypted, makeCertificate } from '../mesh/authority.ts';
import { certificateOf, certified, certs, readAll } from './certified.ts';
import { expectCode, expectUntouched, makeWorld, messages, specs, type World } from './machine.ts';

const OWN = specs({ a: '{}' }, '{mesh: {certificates: {anchor: {certificate: ../ca.crt, key: ../ca.key}}}}');

describe('an anchor of the user’s own', () => {
  it.each<CertificateWords>([{}, { kind: 'RSA-2048' }, { kind: 'RSA-4096', pathLength: 1 }])(
    'signs: %j',
    async (words) => {
      const { certificate, key } = await makeCertificate({ name: 'My Root', ...words });
      const world = await makeWorld({ ...OWN, 'ca.crt': certificate, 'ca.key': key });
      const { stdout } = await certs(world);
      expect(stdout).toContain('My Root');
      expect(Object.keys(readAll(world)).sort()).toEqual(['bundle.crt', 'issuer-a.crt', 'issuer-a.key']);
      expect(readAll(world)['bundle.crt']).toBe(certificate);
      await certs(world);
    },
  );

  it('without its key checks what somebody else has signed, and says what is missing', async () => {
    const { key, ...own } = { ...(await makeCertificate()) };
    const world = await makeWorld({
      ...specs({ a: '{}' }, '{mesh: {certificates: {anchor: {certificate: ../ca.crt}}}}'),
      'ca.crt': own.certificate,
    });
    const outcome = await world.lab('certs');
    expectCode(outcome, 2);
    expect(outcome.stderr).toMatch(
      /^clusters\/lab\.yaml:2:\d+: no issuer for a, and no key to sign one\n {2}name the key/,
    );
    const [, path = ''] = / {2}(\/.*issuer-a\.crt) and /.exec(outcome.stderr) ?? [];
    const issuer = await makeCertificate({ name: 'identity.linkerd.cluster.local', signer: { ...own, key } });
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, issuer.certificate);
    writeFileSync(path.replace(/crt$/, 'key'), issuer.key, { mode: 0o600 });
    await certs(world);
    expect((await certs(world)).stderr).toContain('nothing to do');
  });

  it('follows one of ours in three steps, and takes its key with it', async () => {
    const world = await certified(specs({ a: '{}' }, '{mesh: {}}'));
    const { certificate, key } = await makeCertificate();
    for (const [name, text] of Object.entries({ ...OWN, 'ca.crt': certificate, 'ca.key': key }))
      world.write(name, text);
    const refused = await world.lab('certs');
    expectCode(refused, 2);
    expect(refused.stderr).toContain(
      'clusters trust another anchor than this one\n  to change over to this one: lab certs clusters --rotate anchor',
    );
    for (let step = 0; step < 3; step++) await certs(world, '--rotate', 'anchor');
    expect(Object.keys(readAll(world)).sort()).toEqual(['bundle.crt', 'issuer-a.crt', 'issuer-a.key']);
    expect(readAll(world)['bundle.crt']).toBe(certificate);
  });

  /** Puts the two files there; nothing when only lab.yaml speaks of them. */
  const bad: readonly [string, () => Promise<{ certificate?: string; key?: string }>, RegExp][] = [
    [
      'expired',
      () => makeCertificate({ from: -9, to: -1 }),
      /ca\.crt: it has expired on \d{4}-\d\d-\d\d \d\d:\d\d UTC/,
    ],
    [
      'not yet valid',
      () => makeCertificate({ from: 1 }),
      /ca\.crt: it is not valid before .*\n {2}is the clock of this machine right\?/,
    ],
    [
      'RSA-1024',
      () => makeCertificate({ kind: 'RSA-1024' }),
      /ca\.crt: its key is RSA 1024; Linkerd takes ECDSA P-256, RSA 2048, RSA 4096/,
    ],
    ['P-384', () => makeCertificate({ kind: 'P-384' }), /ca\.crt: its key is ECDSA P-384/],
    ['no CA', () => makeCertificate({ ca: false }), /ca\.crt: it is no CA that may sign certificates/],
    [
      'path length 0',
      () => makeCertificate({ pathLength: 0 }),
      /ca\.crt: its path length of 0 allows no issuer below it/,
    ],
    [
      'with the key of another',
      async () => ({ ...(await makeCertificate()), key: (await makeCertificate()).key }),
      /ca\.key: the key is not the certificate's/,
    ],
    [
      'with an encrypted key',
      async () => {
        const pair = await makeCertificate();
        return { ...pair, key: encrypted(pair.key).pkcs8 };
      },
      /ca\.key: an encrypted key\n {2}Linkerd reads none either/,
    ],
    [
      'that is garbage',
      async () => ({ ...(await makeCertificate()), certificate: 'garbage' }),
      /ca\.crt: not a certificate in PEM form/,
    ],
    [
      'whose key is garbage',
      async () => ({ ...(await makeCertificate()), key: 'garbage' }),
      /ca\.key: not a private key in PEM form/,
    ],
    ['that is not there', async () => ({ key: (await makeCertificate()).key }), /ca\.crt: no such file/],
    [
      'whose key is not there',
      async () => ({ certificate: (await makeCertificate()).certificate }),
      /ca\.key: no such file/,
    ],
  ];

  it.each(bad)('%s is refused with one message, exit code 2, and nothing is touched', async (_, make, says) => {
    const { certificate, key } = await make();
    const world = await makeWorld({
      ...OWN,
      ...(certificate && { 'ca.crt': certificate }),
      ...(key && { 'ca.key': key }),
    });
    for (const args of [['certs'], ['certs', '--dryrun']]) {
      const outcome = await world.lab(...args);
      expectCode(outcome, 2);
      expect(outcome.stderr).toMatch(/^clusters\/lab\.yaml:2:\d+: trust anchor \//);
      expect(outcome.stderr).toMatch(says);
      expect(messages(outcome.stderr)).toHaveLength(1);
      expect(outcome.stdout).toBe('');
    }
    expectUntouched(world);
  });
});

describe('files of ours that are not right any more', () => {
  const damage: readonly [string, (world: World) => Promise<void> | void, RegExp, string][] = [
    [
      'an issuer that expired',
      (world) => signed(world, { from: -9, to: -1 }),
      /issuer-a\.crt: issuer of a: it has expired on .*\n {2}a new one: lab certs clusters a --rotate issuer/,
      'issuer',
    ],
    [
      'an issuer of another trust anchor',
      async (world) =>
        put(world, 'issuer-a', await makeCertificate({ name: IDENTITY, signer: await makeCertificate() })),
      /issuer-a\.crt: issuer of a: it is signed by another trust anchor\n/,
      'issuer',
    ],
    [
      'the key of another',
      async (world) => writeFileSync(certificateOf(world, 'issuer-a.key'), (await makeCertificate()).key),
      /issuer-a\.key: issuer of a: the key is not the certificate's\n/,
      'issuer',
    ],
    [
      'a key that is gone',
      (world) => rmSync(certificateOf(world, 'issuer-a.key')),
      /issuer-a\.key: issuer of a: the key is missing\n/,
      'issuer',
    ],
    [
      'PEM garbage',
      (world) => writeFileSync(certificateOf(world, 'issuer-a.crt'), 'x'),
      /issuer-a\.crt: issuer of a: not a certificate in PEM form\n/,
      'issuer',
    ],
    [
      'an anchor that is gone',
      (world) => rmSync(certificateOf(world, 'anchor.crt')),
      /anchor\.crt: the trust anchor is gone/,
      'anchor',
    ],
  ];
  const IDENTITY = 'identity.linkerd.cluster.local';

  function put(world: World, name: string, { certificate, key }: { certificate: string; key: string }): void {
    writeFileSync(certificateOf(world, `${name}.crt`), certificate);
    writeFileSync(certificateOf(world, `${name}.key`), key);
  }

  async function signed(world: World, words: CertificateWords): Promise<void> {
    const files = readAll(world);
    const signer = { certificate: files['anchor.crt'] ?? '', key: files['anchor.key'] ?? '' };
    put(world, 'issuer-a', await makeCertificate({ name: IDENTITY, signer, ...words }));
  }

  it.each(damage)('%s: exit code 1, one message with what to type, and that helps', async (_, harm, says, what) => {
    const world = await certified(specs({ a: '{}' }, '{mesh: {}}'));
    await harm(world);
    const before = readAll(world);
    const outcome = await world.lab('certs');
    expectCode(outcome, 1);
    expect(outcome.stderr).toMatch(/^lab: \//);
    expect(outcome.stderr).toMatch(says);
    expect(messages(outcome.stderr)).toHaveLength(1);
    expect(readAll(world)).toEqual(before);
    await certs(world, '--rotate', what);
    await certs(world);
  });
});
