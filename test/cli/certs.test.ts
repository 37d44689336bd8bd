import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CertificateInfo } from '../../src/report/certificate-info.ts';
import type { Plan } from '../../src/step/step.ts';
import { HAS_OPENSSL, openssl } from '../mesh/authority.ts';
import { certificateOf, certified, certs, MESHED, readAll, stateOf } from './certified.ts';
import { expectCode, expectUntouched, makeWorld, specs, type World } from './machine.ts';

/** Every text in which a key must not be, and every line of the keys that are there. */
function expectNoKeys(world: World, said: readonly string[]): void {
  const keys = Object.entries(readAll(world)).flatMap(([name, text]) =>
    name.endsWith('.key') ? text.split('\n').filter((line) => line !== '' && !line.startsWith('-')) : [],
  );
  expect(keys.length).toBeGreaterThan(3);
  const logs = readFileSync(join(stateOf(world), 'journal.jsonl'), 'utf8');
  for (const text of [...said, logs, JSON.stringify(world.calls())]) {
    expect(text).not.toContain('PRIVATE KEY');
    for (const key of keys) expect(text).not.toContain(key);
  }
}

describe('lab certs', () => {
  it('makes an anchor and an issuer for each cluster with a mesh, without an engine', async () => {
    const world = await makeWorld(MESHED);
    world.uninstall('docker');
    const { stdout, stderr } = await certs(world);
    expect(stdout.split('\n').map((line) => line.split(/ +/).slice(0, 2).join(' '))).toEqual([
      'CERTIFICATE NAME',
      'trust-anchor root.linkerd.cluster.local',
      'issuer/a identity.linkerd.cluster.local',
      'issuer/b identity.linkerd.cluster.local',
      '',
    ]);
    expect(stderr).toContain('next: lab linkerd clusters');
    expect(world.calls()).toEqual([]);
    expect(Object.keys(readAll(world)).sort()).toEqual(
      ['anchor.crt', 'anchor.key', 'bundle.crt', 'issuer-a.crt', 'issuer-a.key', 'issuer-b.crt', 'issuer-b.key'].sort(),
    );
  });

  it('leaves keys to their owner alone', async () => {
    const world = await certified();
    const mode = (name: string) => (statSync(certificateOf(world, name)).mode & 0o777).toString(8);
    expect(['', 'anchor.key', 'issuer-a.key', 'issuer-b.key'].map(mode)).toEqual(['700', '600', '600', '600']);
  });

  it('a second run changes nothing, and needs no lock', async () => {
    const world = await certified();
    const before = readAll(world);
    const journal = readFileSync(join(stateOf(world), 'journal.jsonl'), 'utf8');
    const { stderr } = await certs(world);
    expect(stderr).toBe('nothing to do: all certificates are as they should be\n');
    expect(readAll(world)).toEqual(before);
    expect(readFileSync(join(stateOf(world), 'journal.jsonl'), 'utf8')).toBe(journal);
  });

  it('a new cluster gets an issuer of the same anchor', async () => {
    const world = await certified();
    const before = readAll(world);
    world.write('clusters/c.yaml', 'apiVersion: lab/v1alpha1\nkind: Cluster\nmetadata: {name: c}\n');
    const { stdout } = await certs(world, 'clusters', 'c', '-o', 'json');
    const { certificates } = JSON.parse(stdout) as { certificates: CertificateInfo[] };
    expect(certificates.map(({ role, cluster }) => [role, cluster])).toEqual([
      ['trust anchor', undefined],
      ['issuer', 'c'],
    ]);
    expect(certificates[1]?.signedBy).toBe(certificates[0]?.fingerprint);
    expect(readAll(world)).toMatchObject(before);
  });

  it('a dry run says what would be done, and does nothing', async () => {
    const world = await makeWorld(MESHED);
    for (const format of ['text', 'wide', 'json', 'yaml', 'name', 'script'])
      expect((await certs(world, '--dryrun', '-o', format)).stdout).not.toBe('');
    expectUntouched(world);
    const plan: Plan = JSON.parse((await certs(world, '--dryrun', '-o', 'json')).stdout);
    const run = JSON.parse((await certs(world, '-o', 'json')).stdout);
    expect(run.steps.map(({ id }: { id: string }) => id)).toEqual(plan.steps.map(({ id }) => id));
  });

  it('never shows a key: not on a terminal, in a plan, a script, the journal, or an argument', async () => {
    const world = await makeWorld(MESHED);
    const said: string[] = [];
    const say = async (...args: readonly string[]) => {
      const { stdout, stderr } = await certs(world, ...args);
      said.push(stdout, stderr);
    };
    await say('--dryrun', '-o', 'script');
    await say('-o', 'json');
    for (const format of ['text', 'wide', 'json', 'yaml', 'script'])
      await say('--rotate', 'issuer', '--dryrun', '-o', format);
    await say('--rotate', 'issuer');
    for (const verb of ['info', 'status'])
      for (const format of ['text', 'json']) said.push((await world.lab(verb, '-o', format)).stdout);
    expectNoKeys(world, said);
    expect(readdirSync(join(world.root, 'clusters')).sort()).toEqual(['a.yaml', 'b.yaml', 'bare.yaml', 'lab.yaml']);
  });

  it('has nothing to do without a mesh', async () => {
    const world = await makeWorld(specs({ a: '{}' }));
    const says = 'a: without a mesh no certificate is needed; see spec.mesh of lab.yaml\n';
    expect(await certs(world)).toMatchObject({ stdout: '', stderr: says });
    expectUntouched(world);
  });

  it('heeds the lifetimes and the trust domain of lab.yaml', async () => {
    const mesh = '{mesh: {trustDomain: x.test, certificates: {anchorLifetime: 100d, issuerLifetime: 48h}}}';
    const world = await makeWorld(specs({ a: '{}', b: '{mesh: {certificates: {issuerLifetime: 90d}}}' }, mesh));
    const { stdout, stderr } = await certs(world, '-o', 'json');
    const { certificates } = JSON.parse(stdout) as { certificates: CertificateInfo[] };
    expect(certificates.map(({ name, daysLeft }) => [name, daysLeft])).toEqual([
      ['root.linkerd.x.test', expect.closeTo(100, -1)],
      ['identity.linkerd.x.test', expect.closeTo(2, -1)],
      ['identity.linkerd.x.test', expect.closeTo(90, -1)],
    ]);
    expect(stderr).toMatch(
      /warning: issuer of a expires in [12] days? \(\d{4}-\d\d-\d\d\): lab certs clusters a --rotate issuer/,
    );
  });

  it('exits with 4 while another run holds the lab', async () => {
    const world = await makeWorld(specs({ a: '{}' }, '{mesh: {}}'));
    world.start(['create'], { FAULT: 'kind:create:a:sleep60' });
    await world.called('kind:create:a');
    expectCode(await world.lab('certs'), 4);
  });
});

describe('--rotate', () => {
  it('issuer: a new key and certificate for the named clusters only', async () => {
    const world = await certified();
    const before = readAll(world);
    await certs(world, 'a', '--rotate', 'issuer');
    const after = readAll(world);
    const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
    expect(changed.sort()).toEqual(['issuer-a.crt', 'issuer-a.key']);
    await certs(world);
  });

  it.skipIf(!HAS_OPENSSL)(
    'anchor: three steps, and a chain at each of them (skipped where there is no openssl)',
    async () => {
      const world = await certified();
      const verify = () => {
        for (const name of ['issuer-a.crt', 'issuer-b.crt'])
          openssl('verify', '-x509_strict', '-CAfile', certificateOf(world, 'bundle.crt'), certificateOf(world, name));
      };
      const first = readAll(world);
      const step = async (phase: string, says: string) => {
        const { stderr } = await certs(world, '--rotate', 'anchor');
        expect(stderr).toContain(says);
        verify();
        const { stdout } = await certs(world, '-o', 'json');
        expect(JSON.parse(stdout)).toMatchObject({ steps: [], rotation: phase });
        return readAll(world);
      };
      const trusted = await step(
        'trusted',
        'step 1 of 3 to another trust anchor: both are trusted. Next: lab linkerd clusters',
      );
      expect(trusted['bundle.crt']).toBe(`${first['bundle.crt']}${trusted['next-anchor.crt']}`);
      expect(trusted['issuer-a.crt']).toBe(first['issuer-a.crt']);
      const signed = await step(
        'signed',
        'step 2 of 3 to another trust anchor: it has signed all issuers. Next: lab linkerd clusters',
      );
      expect(signed['bundle.crt']).toBe(trusted['bundle.crt']);
      expect(signed['issuer-a.key']).not.toBe(first['issuer-a.key']);
      const settled = await step('settled', 'step 3 of 3 to another trust anchor: the old one is trusted no more');
      expect(settled['bundle.crt']).toBe(trusted['next-anchor.crt']);
      expect(settled['anchor.key']).toBe(trusted['next-anchor.key']);
      expect(Object.keys(settled).sort()).toEqual(Object.keys(first).sort());
    },
  );

  it('anchor: status says that it is on its way, and exits 5 where that is asked for', async () => {
    const world = await certified();
    await certs(world, '--rotate', 'anchor');
    const outcome = await world.lab('status', '--exit-code');
    expectCode(outcome, 5);
    expect(outcome.stdout).toMatch(/^- +certs +drift +another one, trusted/m);
    expect(outcome.stderr).toContain('lab certs clusters');
  });

  it('takes nothing else', async () => {
    const world = await makeWorld(MESHED);
    expectCode(await world.lab('certs', '--rotate', 'everything'), 2);
    const outcome = await world.lab('certs', '--rotate', 'anchor', '--discard-root-key');
    expectCode(outcome, 2);
    expect(outcome.stderr).toMatch(/^command line: --discard-root-key and --rotate anchor exclude each other/);
    expectUntouched(world);
  });
});

describe('--discard-root-key', () => {
  it('removes the key, and what needs it later is refused with what to do', async () => {
    const world = await certified();
    await certs(world, '--discard-root-key');
    expect(existsSync(certificateOf(world, 'anchor.key'))).toBe(false);
    await certs(world);
    world.write('clusters/c.yaml', 'apiVersion: lab/v1alpha1\nkind: Cluster\nmetadata: {name: c}\n');
    const outcome = await world.lab('certs');
    expectCode(outcome, 1);
    expect(outcome.stderr).toBe(
      `lab: ${certificateOf(world, 'anchor.key')}: no issuer for c: the key of the trust anchor is gone, or was discarded\n` +
        '  put it back, or change to a new anchor: lab certs clusters --rotate anchor\n',
    );
    await certs(world, '--rotate', 'anchor');
    expect(existsSync(certificateOf(world, 'next-anchor.key'))).toBe(true);
  });
});

describe('info and status', () => {
  it('show the certificates of a lab with a mesh', async () => {
    const world = await makeWorld(MESHED);
    expect((await world.lab('info')).stderr).toContain('no certificates yet: lab certs clusters');
    await certs(world);
    const { stdout } = await world.lab('info');
    expect(stdout).toMatch(/^trust-anchor +root\.linkerd\.cluster\.local +\d{4}-\d\d-\d\d +36\d\d +[0-9a-f]{16} +-$/m);
    expect(stdout).toMatch(/^issuer\/b +identity\.linkerd\.cluster\.local /m);
    const [a, , bare] = JSON.parse((await world.lab('info', '-o', 'json')).stdout);
    expect(a).toMatchObject({
      mesh: 'linkerd',
      certificates: [{ role: 'trust anchor' }, { role: 'issuer', cluster: 'a' }],
    });
    expect(bare).toMatchObject({ mesh: 'none', certificates: [] });
    const rows = (await world.lab('status')).stdout.split('\n').filter((line) => / certs /.test(line));
    expect(rows.map((line) => line.split(/ +/).slice(0, 3).join(' '))).toEqual([
      '- certs ok',
      'a certs ok',
      'b certs ok',
    ]);
  });
});
