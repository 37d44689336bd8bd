import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { readExistingAccess } from '../../src/exec/kubeconfig-access.ts';

const folder = (): string => mkdtempSync(join(tmpdir(), 'lab-access-'));

const config = (name: string, cluster: object, user: object) =>
  stringify({
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name, context: { cluster: 'c', user: 'u' } }],
  });

describe('the credentials of a context', () => {
  it('are complete in themselves: content of files stands in the place of their names', async () => {
    const dir = folder();
    writeFileSync(join(dir, 'ca.crt'), 'CA');
    writeFileSync(join(dir, 'key'), 'KEY');
    const cluster = { server: 'https://x', 'certificate-authority': 'ca.crt' };
    const text = config('mine', cluster, { 'client-key': join(dir, 'key'), tokenFile: 'token' });
    writeFileSync(join(dir, 'config'), text);
    const access = await readExistingAccess([join(dir, 'config')], 'mine', join(dir, 'none'));
    expect(access).toMatchObject({ kubeconfig: join(dir, 'config'), server: 'https://x', stale: true });
    expect(access).not.toHaveProperty('kept');
    expect(parse(access.text ?? '')).toMatchObject({
      clusters: [{ cluster: { server: 'https://x', 'certificate-authority-data': btoa('CA') } }],
      users: [{ user: { 'client-key-data': btoa('KEY'), tokenFile: join(dir, 'token') } }],
      'current-context': 'mine',
    });
  });

  it('come from the first of several files that has them, and are stale when the copy says something else', async () => {
    const dir = folder();
    const [one, other, kept] = ['one', 'other', 'kept'].map((name) => join(dir, name)) as [string, string, string];
    writeFileSync(one, config('a', { server: 'https://one' }, { token: '1' }));
    writeFileSync(other, config('b', { server: 'https://other' }, { token: '2' }));
    const look = () => readExistingAccess([one, other, join(dir, 'missing')], 'b', kept);
    // Both call their cluster c and their user u: the first counts, as it does for kubectl.
    expect(await look()).toMatchObject({ server: 'https://one', stale: true });
    writeFileSync(kept, config('b', { server: 'https://one' }, { token: '1' }));
    expect(await look()).toMatchObject({ kept: { ca: '', server: 'https://one' }, stale: false });
    writeFileSync(one, config('a', { server: 'https://one' }, { token: 'new' }));
    expect(await look()).toMatchObject({ stale: true });
  });

  it('are the same in a copy of kubectl, which writes out what a credential plugin left unsaid', async () => {
    const dir = folder();
    const [mine, kept] = [join(dir, 'mine'), join(dir, 'kept')];
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'gke-auth', provideClusterInfo: true };
    writeFileSync(mine, config('a', { server: 'https://x' }, { exec }));
    const copied = { ...exec, args: null, env: null, interactiveMode: 'IfAvailable' };
    writeFileSync(kept, config('a', { server: 'https://x' }, { exec: copied }));
    expect(await readExistingAccess([mine], 'a', kept)).toMatchObject({ stale: false });
    writeFileSync(kept, config('a', { server: 'https://x' }, { exec: { ...copied, command: 'other' } }));
    expect(await readExistingAccess([mine], 'a', kept)).toMatchObject({ stale: true });
  });

  it('that are not there are a problem, with what there is', async () => {
    const dir = folder();
    const file = join(dir, 'config');
    const problem = async (name: string) => (await readExistingAccess([file], name, join(dir, 'kept'))).problem;
    expect(await problem('b')).toEqual({
      message: `there is no context b in ${file}, which is not there`,
      hint: 'name the file that has it: spec.kubeconfig',
    });
    writeFileSync(file, config('a', { server: 'https://x' }, { 'client-key': 'gone' }));
    expect(await problem('b')).toEqual({ message: `there is no context b in ${file}`, hint: 'there are: a' });
    expect((await problem('a'))?.message).toMatch(/^context a cannot be used: ENOENT.*gone/);
  });
});
