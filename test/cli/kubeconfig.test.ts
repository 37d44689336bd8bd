/** The user's kubeconfig is never harmed. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clusterText, created, expectCode, makeWorld, messages, specs, type World } from './machine.ts';

const ONE = specs({ a: '{}' });

/** A kubeconfig with a context that is not ours. */
const withContext = (name: string): string => `# mine
apiVersion: v1
kind: Config
clusters: [{name: ${name}, cluster: {server: "https://elsewhere"}}]
contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}}}]
users: [{name: ${name}, user: {token: secret}}]
`;

/** Creates, and expects one message, exit 2, and not a byte changed anywhere. */
async function expectRefused(world: World, says: RegExp): Promise<void> {
  const before = readFileSync(world.kubeconfig);
  const outcome = await world.lab('create');
  expectCode(outcome, 2);
  expect(messages(outcome.stderr)).toEqual([expect.stringMatching(says)]);
  expect(outcome.stderr).not.toContain('secret');
  expect(world.changes()).toEqual([]);
  expect(existsSync(world.stateHome)).toBe(false);
  expect(readFileSync(world.kubeconfig).equals(before)).toBe(true);
}

describe('a kubeconfig', () => {
  it.each(['a', 'kind-a'])('that holds a context %s of another cluster is left as it is', async (name) => {
    const world = await makeWorld(ONE);
    writeFileSync(world.kubeconfig, withContext(name));
    const says = `kubeconfig: context ${name} is not this lab's, and cluster a needs the name\n  rename or delete it \\(kubectl config delete-context ${name}\\)`;
    await expectRefused(world, new RegExp(says));
  });

  it.each([
    ['is broken', 'apiVersion: [\n', /kubeconfig:2:1: /],
    ['is no mapping', '- a\n- b\n', /kubeconfig:1:1: a kubeconfig must be a mapping/],
    ['is no text', Buffer.from([0, 1, 2, 255, 254]), /kubeconfig:1:1: /],
  ])('that %s is told with its place', async (_, text, says) => {
    const world = await makeWorld(ONE);
    writeFileSync(world.kubeconfig, text);
    await expectRefused(world, says);
  });

  it('that is a folder is told', async () => {
    const world = await makeWorld(ONE);
    mkdirSync(world.kubeconfig);
    const outcome = await world.lab('create');
    expectCode(outcome, 2);
    expect(messages(outcome.stderr)).toEqual([expect.stringMatching(/kubeconfig: cannot be read: EISDIR$/)]);
    expect(world.changes()).toEqual([]);
  });

  // Nothing is unreadable to root.
  it.skipIf(process.getuid?.() === 0)('that cannot be read is told', async () => {
    const world = await makeWorld(ONE);
    writeFileSync(world.kubeconfig, withContext('x'));
    chmodSync(world.kubeconfig, 0);
    const outcome = await world.lab('create');
    expectCode(outcome, 2);
    expect(messages(outcome.stderr)).toEqual([expect.stringMatching(/kubeconfig: cannot be read: EACCES$/)]);
    expect(world.changes()).toEqual([]);
  });

  it('whose user of our name is not ours fails that step alone, with what to do', async () => {
    const world = await makeWorld(ONE);
    const text = withContext('x')
      .replaceAll('user: x', 'user: kind-a')
      .replace('users: [{name: x', 'users: [{name: kind-a');
    writeFileSync(world.kubeconfig, text);
    const outcome = await world.lab('create');
    expectCode(outcome, 1);
    expect(outcome.stderr).toMatch(
      /^a: could not add context a and kind-a\n {2}.*: user "kind-a" in .* is not this lab's\n {4}rename it there/m,
    );
    expect(world.kubeconfigText()).toBe(text);
    expect(JSON.parse((await world.lab('info', '-o', 'json')).stdout)).toMatchObject([{ state: 'ready' }]);
  });

  it('that stays locked fails that step alone, with what to do', async () => {
    const world = await makeWorld(ONE);
    writeFileSync(`${world.kubeconfig}.lock`, '');
    const outcome = await world.lab('create');
    expectCode(outcome, 1);
    expect(outcome.stderr).toMatch(
      /kubeconfig is locked: .*\n {4}the cluster can be used with --kubeconfig \S+; if no kubectl/,
    );
    expect(existsSync(`${world.kubeconfig}.lock`)).toBe(true);
  });

  it('named by a flag is the one that is edited', async () => {
    const world = await makeWorld(ONE);
    expectCode(await world.lab('create', '--kubeconfig', 'other'), 0);
    expect(world.kubeconfigText()).toBeUndefined();
    expect(readFileSync(`${world.root}/other`, 'utf8')).toContain('name: kind-a');
  });
});

describe('a cluster that exists', () => {
  it('is not rebuilt because its spec changed: the difference is shown, and the line to type', async () => {
    const world = await created(ONE);
    const kubeconfig = world.kubeconfigText();
    world.write(
      'clusters/a.yaml',
      clusterText('a', '{nodes: {servers: 1, workers: 1}, network: {domain: example.org}}'),
    );
    const calls = await world.during(async () => {
      const outcome = await world.lab('create');
      expectCode(outcome, 2);
      const [message, ...others] = messages(outcome.stderr);
      expect(others).toEqual([]);
      expect(message).toContain('clusters/a.yaml:3:18: cluster a cannot be changed in place: ');
      expect(message).toContain('nodes.workers: 0 → 1');
      expect(message).toContain('network.domain: cluster.local → example.org');
      expect(message).toContain(
        '\n  take the change back, or rebuild it and lose what is in it: lab create clusters a --recreate a',
      );
    });
    expect(calls.filter(({ program }) => program !== 'docker')).toEqual([]);
    expect(world.kubeconfigText()).toBe(kubeconfig);
    expectCode(await world.lab('create', 'clusters', 'a', '--recreate', 'a'), 0);
    expect(world.store.list('containers').map(({ name }) => name)).toEqual(['a-control-plane', 'a-worker']);
  });
});
