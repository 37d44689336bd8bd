import { spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ObservedCertificates } from '../../src/lab/certificates.ts';
import type { DesiredCertificates } from '../../src/lab/mesh.ts';
import { observeCertificates } from '../../src/observe/mesh-certificates.ts';
import { type CertificateOptions, diffCertificates } from '../../src/plan/diff-certificates.ts';
import { planCertificates } from '../../src/plan/plan-certificates.ts';
import { renderScript } from '../../src/report/plan-script.ts';
import { HAS_OPENSSL, makeCertificate, openssl } from '../mesh/authority.ts';
import { desiredCertificates } from '../plan/build-certificates.ts';

const LAB = { name: 'practical', uid: '0123456789ab' };

/** A home in which the scripts of certificate plans run, one after the other. */
function stage(desired: DesiredCertificates = desiredCertificates()) {
  const dir = mkdtempSync(join(tmpdir(), "lab script's "));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const state = join(dir, '.local/state/lab/labs', LAB.uid);
  const path = (name: string) => join(state, 'certificates', name);
  const observe = () => observeCertificates(desired, (file) => join(state, file));
  const run = async (more: Partial<CertificateOptions> = {}): Promise<ObservedCertificates> => {
    const observed = await observe();
    const diff = diffCertificates(desired, observed, { names: ['a', 'b'], discardKey: false, command: 'lab', ...more });
    expect(diff.problems).toEqual([]);
    const script = join(dir, 'plan.sh');
    writeFileSync(script, renderScript(planCertificates({ lab: LAB, desired, observed }, diff), dir));
    const { status, stdout, stderr } = spawnSync('bash', [script], {
      env: { PATH: process.env.PATH, HOME: dir },
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    return observe();
  };
  const isInOrder = async () => {
    const { problems, changes } = diffCertificates(desired, await observe(), {
      names: ['a', 'b'],
      discardKey: false,
      command: 'lab',
    });
    expect({ problems, changes }).toEqual({ problems: [], changes: [] });
  };
  return { dir, path, run, observe, isInOrder };
}

describe.skipIf(!HAS_OPENSSL)('certificates by the script (skipped where there is no openssl)', () => {
  it('are what lab makes: names, keys, usages, lifetimes, and a chain', async () => {
    const { path, run, isInOrder } = stage();
    await run();
    await isInOrder();
    for (const name of ['issuer-a', 'issuer-b'])
      expect(openssl('verify', '-x509_strict', '-CAfile', path('bundle.crt'), path(`${name}.crt`))).toContain('OK');
    const text = (name: string) => openssl('x509', '-noout', '-text', '-in', path(name));
    for (const [name, length] of [
      ['anchor.crt', 1],
      ['issuer-a.crt', 0],
    ] as const) {
      expect(text(name)).toMatch(new RegExp(`Basic Constraints: critical\\s+CA:TRUE, pathlen:${length}\n`));
      expect(text(name)).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
      expect(text(name)).toContain('Subject Key Identifier');
      expect(text(name)).toContain('ecdsa-with-SHA256');
    }
    expect(text('issuer-a.crt')).toContain('Authority Key Identifier');
    const { validFrom, validTo } = new X509Certificate(readFileSync(path('issuer-a.crt')));
    expect(Date.parse(validTo) - Date.parse(validFrom)).toBe((365 * 86_400 + 3600) * 1000);
    for (const name of ['anchor.key', 'issuer-a.key', 'issuer-b.key'])
      expect((statSync(path(name)).mode & 0o777).toString(8)).toBe('600');
    expect((statSync(path('')).mode & 0o777).toString(8)).toBe('700');
  });

  it('are left alone by a script that is run a second time', async () => {
    const { path, dir, run } = stage();
    await run();
    const before = readFileSync(path('anchor.key'), 'utf8') + readFileSync(path('issuer-a.key'), 'utf8');
    rmSync(path('issuer-b.crt'));
    expect(spawnSync('bash', [join(dir, 'plan.sh')], { env: { PATH: process.env.PATH, HOME: dir } }).status).toBe(0);
    expect(readFileSync(path('anchor.key'), 'utf8') + readFileSync(path('issuer-a.key'), 'utf8')).toBe(before);
    expect(existsSync(path('issuer-b.crt'))).toBe(true);
  });

  it('change from one anchor to another, and lose a key', async () => {
    const { path, run, observe, isInOrder } = stage();
    const first = (await run()).anchors.anchor.certificate?.fingerprint;
    expect((await run({ rotate: 'anchor' })).bundle.trusted).toHaveLength(2);
    await isInOrder();
    await run({ rotate: 'anchor' });
    await isInOrder();
    await run({ rotate: 'anchor' });
    await isInOrder();
    const { anchors, bundle } = await observe();
    expect(anchors.next.certificate).toBeUndefined();
    expect(bundle.trusted.map(({ fingerprint }) => fingerprint)).toEqual([anchors.anchor.certificate?.fingerprint]);
    expect(anchors.anchor.certificate?.fingerprint).not.toBe(first);
    await run({ discardKey: true });
    expect(existsSync(path('anchor.key'))).toBe(false);
  });

  it('are signed by an anchor of the user’s own: RSA, and with its key in the same file', async () => {
    const own = await makeCertificate({ kind: 'RSA-2048', name: "It's My Root" });
    const dir = mkdtempSync(join(tmpdir(), "it's own "));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const file = join(dir, 'ca.pem');
    writeFileSync(file, own.key + own.certificate);
    const { path, run, isInOrder } = stage(desiredCertificates({ certificate: file, key: file, at: 'lab.yaml:1:1' }));
    await run();
    await isInOrder();
    expect(readFileSync(path('bundle.crt'), 'utf8')).not.toContain('PRIVATE');
    expect(openssl('verify', '-CAfile', path('bundle.crt'), path('issuer-a.crt'))).toContain('OK');
  });
});
