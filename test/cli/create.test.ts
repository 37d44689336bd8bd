import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { changes } from '../stubs/call.ts';
import { created, expectCode, makeWorld, specs } from './machine.ts';

const TWO = specs({ a: '{}', b: '{ipFamily: dual}' });

/** A context of the user's own, with a comment. */
const FOREIGN = `# mine
apiVersion: v1
kind: Config
clusters:
- name: work
  cluster: {server: "https://work.example:6443", certificate-authority-data: d29yaw==}
contexts:
- name: work
  context: {cluster: work, user: work}
current-context: work
users:
- name: work
  user: {token: secret}
`;

describe('lab create', () => {
  it('makes the clusters, and a second run changes nothing', async () => {
    const world = await makeWorld(TWO);
    const first = await world.lab('create');
    expectCode(first, 0);
    expect(first.stdout).toMatch(/^NAME +PROVIDER .*\na +kind .*ready.*\nb +kind .*ready/);
    expect(world.store.list('containers').map(({ name }) => name)).toEqual(['a-control-plane', 'b-control-plane']);
    const kubeconfig = world.kubeconfigText();
    let second = { stdout: '', stderr: '' };
    const calls = await world.during(async () => {
      second = await world.lab('create');
    });
    expect(calls.filter(changes)).toEqual([]);
    expect(second.stderr).toContain('nothing to do');
    expect(second.stdout).toBe(first.stdout);
    expect(world.kubeconfigText()).toBe(kubeconfig);
  });

  it('starts as many processes for four clusters that exist as for one', async () => {
    const counts: number[] = [];
    for (const names of [['a'], ['a', 'b', 'c', 'd']]) {
      const world = await created(specs(Object.fromEntries(names.map((name) => [name, '{}']))));
      counts.push((await world.during(() => world.lab('create'))).length);
    }
    expect(counts[1]).toBe(counts[0]);
    expect(counts[0]).toBeLessThanOrEqual(5);
  });

  it("adds the second family's address to a certificate that lacks it", async () => {
    const world = await created(TWO);
    world.store.remove('certificates', 'b-control-plane');
    const { stdout } = await world.lab('status', '-o', 'json');
    const rows = JSON.parse(stdout).filter(({ thing }: { thing: string }) => thing === 'certificate');
    expect(rows).toMatchObject([{ cluster: 'b', result: 'drift', have: '' }]);
    const calls = await world.during(() => world.lab('repair'));
    expect(calls.filter(changes)).toMatchObject([{ argv: ['exec', '-i', 'b-control-plane', 'sh', '-e'] }]);
    expect((await world.lab('status', '--exit-code', '-o', 'json')).code).toBe(0);
    const again = await world.during(() => world.lab('create'));
    expect(again.filter(changes)).toEqual([]);
  });

  it('adds its contexts, and keeps the current one and everything else', async () => {
    const world = await makeWorld(TWO);
    writeFileSync(world.kubeconfig, FOREIGN, { mode: 0o640 });
    expectCode(await world.lab('create'), 0);
    const text = readFileSync(world.kubeconfig, 'utf8');
    expect(text).toMatch(/^# mine\n/);
    const config = parse(text);
    expect(config['current-context']).toBe('work');
    const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name).sort();
    expect(names(config.contexts)).toEqual(['a', 'b', 'kind-a', 'kind-b', 'work']);
    expect(config.users.find(({ name }: { name: string }) => name === 'work').user).toEqual({ token: 'secret' });
  });

  it('chooses no current context in a kubeconfig that it makes, which only its owner can read', async () => {
    const world = await created(TWO);
    expect(parse(world.kubeconfigText() ?? '')['current-context']).toBe('');
    expect(statSync(world.kubeconfig).mode & 0o777).toBe(0o600);
  });

  it('puts a context back that somebody removed', async () => {
    const world = await created(TWO);
    const entries = () => {
      const { clusters, contexts, users } = parse(world.kubeconfigText() ?? '');
      return [clusters, contexts, users].flatMap((list) => list.map((entry: unknown) => JSON.stringify(entry)).sort());
    };
    const before = entries();
    writeFileSync(world.kubeconfig, '');
    expectCode(await world.lab('create'), 0);
    expect(entries()).toEqual(before);
  });

  it('prints JSON on standard output, and everything else on standard error', async () => {
    const world = await makeWorld(TWO);
    for (const left of [20, 0]) {
      const { stdout, stderr } = await world.lab('create', '-o', 'json');
      const { plan, steps, clusters } = JSON.parse(stdout);
      expect(plan).toContain(left > 0 ? '2 clusters to create' : '0 clusters to create');
      expect(steps.length > 0).toBe(left > 0);
      expect(clusters).toMatchObject([
        { name: 'a', state: 'ready' },
        { name: 'b', state: 'ready' },
      ]);
      expect(stderr.includes('create the nodes')).toBe(left > 0);
    }
  });

  it('prints names with -o name', async () => {
    const world = await makeWorld(TWO);
    const { stdout } = await world.lab('create', '-o', 'name');
    expect(stdout).toBe('cluster/a\ncluster/b\n');
  });

  it('makes only the clusters that it names, with the ranges that they have in the whole lab', async () => {
    const world = await makeWorld(TWO);
    const all = JSON.parse((await world.lab('info', '-o', 'json')).stdout);
    expectCode(await world.lab('create', 'b'), 0);
    expect(world.store.list('containers').map(({ name }) => name)).toEqual(['b-control-plane']);
    expect(JSON.parse((await world.lab('info', 'b', '-o', 'json')).stdout)).toMatchObject([
      { state: 'ready', pods: all[1].pods, services: all[1].services, loadBalancer: all[1].loadBalancer },
    ]);
  });
});
