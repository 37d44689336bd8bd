/** Canaries: what must be secret is put wherever a secret can be, and looked for in everything that `lab` says. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clusterText, expectCode, makeWorld, specs, type World } from '../cli/machine.ts';

const KEY = `-----BEGIN EC PRIVATE KEY-----\n${'CANARY77'.repeat(8)}\nCANARY==\n-----END EC PRIVATE KEY-----`;

/** A kubeconfig with a key, a token and a password that are the user's own. */
const USERS_OWN = `apiVersion: v1
kind: Config
clusters: [{name: x, cluster: {server: "https://x"}}]
contexts: [{name: x, context: {cluster: x, user: x}}]
users:
- name: x
  user: {token: CANARY-mine, password: CANARY-mine, client-key-data: ${Buffer.from(KEY).toString('base64')}}
`;

/** What a tool may say when it fails: all that it knows. */
const CONFESSION = [
  'login to https://me:CANARY-url@registry.example failed',
  'Authorization: Bearer CANARY-bearer',
  'client-key-data: CANARY-data',
  '{"identity":{"token":"CANARY-json"}}',
  KEY,
].join('\n');

const SPEC = `{kind: {containerdConfigPatches: ['password = "CANARY-spec"']}}`;

/** What `lab` remembers of a lab. The kubeconfigs are the credentials themselves, and only their owner's to read. */
function remembered(world: World): string {
  const files = readdirSync(world.stateHome, { recursive: true, encoding: 'utf8' }).map((name) =>
    join(world.stateHome, name),
  );
  for (const file of files) expect(statSync(file).mode & 0o077, file).toBe(0);
  const texts = files.filter((file) => statSync(file).isFile() && !file.includes('kubeconfigs'));
  return texts.map((file) => readFileSync(file, 'utf8')).join('\n');
}

describe('a secret', () => {
  it('is in nothing that lab says, remembers or puts on a command line', { timeout: 180_000 }, async () => {
    const world = await makeWorld(specs({ a: SPEC, b: '{}' }, '{loadBalancer: {addon: none}}'));
    writeFileSync(world.kubeconfig, USERS_OWN);
    const env = { REGISTRY_PASSWORD: 'CANARY-env', L5D_LICENSE: 'CANARY-env' };
    const said: string[] = [];
    const run = async (args: readonly string[], code: number, FAULT = '') => {
      const outcome = await world.start(args, { ...env, FAULT }).done;
      expectCode(outcome, code);
      said.push(outcome.stdout, outcome.stderr);
      return outcome;
    };
    const failed = await run(['create'], 1, `kind:create:a:exit1=${CONFESSION}`);
    expect(failed.stderr).toContain('login to https://***@registry.example failed');
    await run(['create', '-o', 'json'], 0);
    await run(['info', '-o', 'yaml'], 0);
    await run(['status', '-o', 'json'], 0);
    await run(['delete', 'clusters', 'b', '-o', 'json'], 0);
    said.push(remembered(world));
    said.push(JSON.stringify(world.calls().map(({ argv }) => argv)));
    expect(said.join('\n')).not.toMatch(/CANARY/);
    expect(world.kubeconfigText()).toContain('CANARY-mine');
  });

  it('is in no support bundle, which holds everything else', async () => {
    const world = await makeWorld(specs({ a: SPEC, b: '{}' }, '{loadBalancer: {addon: none}}'));
    writeFileSync(world.kubeconfig, USERS_OWN);
    const { child, done } = world.start(['create'], { FAULT: 'kind:create:b:sleep60' });
    await world.called('kind:create:b');
    child.kill('SIGKILL');
    await done;
    world.write('clusters/c.yaml', clusterText('c', SPEC));
    const outcome = await world.start(['doctor', '--bundle', 'report.json'], { SECRET: 'CANARY-env' }).done;
    expect(outcome.stderr).toContain('wrote ');
    const file = join(world.root, 'report.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain('CANARY');
    const bundle = JSON.parse(text);
    expect(bundle.versions).toMatchObject({ docker: 'client 28.0.0, server 28.0.0', helm: 'not found' });
    expect(bundle.plan.steps.map(({ id }: { id: string }) => id)).toEqual(
      expect.arrayContaining(['b/remove', 'c/create']),
    );
    const { stdin } = bundle.plan.steps.find(({ id }: { id: string }) => id === 'c/create');
    expect(stdin).toContain('password = ***');
    expect(bundle.status).toContainEqual(expect.objectContaining({ cluster: 'c' }));
    expect(bundle.observed.clusters).toContainEqual(expect.objectContaining({ name: 'b' }));
    expect(bundle.journal[0]).toMatchObject({ type: 'begin', verb: 'create' });
    expect(bundle.checks).toContainEqual(expect.objectContaining({ name: 'engine' }));

    const again = await world.lab('doctor', '--bundle', 'report.json');
    expectCode(again, 2);
    expect(again.stderr).toContain('report.json: is there already');
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('needs no engine, nor specs that fit, for a bundle', async () => {
    const world = await makeWorld(specs({ a: '{}' }, '{ranges: {pods: {v4: 10.0.0.0/30}}}'));
    world.uninstall('docker');
    expectCode(await world.lab('doctor', '--bundle', 'report.json'), 3);
    const bundle = JSON.parse(readFileSync(join(world.root, 'report.json'), 'utf8'));
    expect(bundle.problems[0].message).toMatch(/10\.0\.0\.0\/30/);
    expect(bundle.observed.missing).not.toEqual([]);
    expect(bundle.versions.docker).toBe('not found');
  });
});
