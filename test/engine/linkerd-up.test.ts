import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cluster, EngineLab, finish, hasK3d, isChanging, run, until } from './engine.ts';
import { describeWithLinkerd, IMAGES, mesh } from './linkerd-lab.ts';

const containers = (): string[] =>
  run('docker', ['ps', '--format', '{{.Names}}', '--filter', 'name=lku-'])
    .split('\n')
    .filter((name) => name !== '');
/** Where k3d's import is to put images: what k3s' own `ctr` takes by itself, and that of a stand-in may not. */
const NAMESPACE = '{env: [{envVar: CONTAINERD_NAMESPACE=k8s.io, nodeFilters: ["server:*", "agent:*"]}]}';
const runs = (command: RegExp): boolean => command.test(run('ps', ['-eo', 'args']));

/** One `lab up` of a kind and a k3d cluster with a mesh, through every kind of end. */
(hasK3d ? describeWithLinkerd : describeWithLinkerd.skip)('a lab up that is interrupted', () => {
  let lab: EngineLab;

  beforeAll(() => {
    const images = `images: [${IMAGES.map((image) => `"${image}"`).join(', ')}]`;
    lab = new EngineLab({
      'lab.yaml': `kind: Lab\nmetadata: {name: lku}\nspec: {mesh: ${mesh()}, groups: {g: {mode: flat}}}\n`,
      'kind.yaml': cluster('lku-kind', `{group: g, ${images}}`),
      'k3d.yaml': cluster('lku-k3d', `{group: g, provider: k3d, nodes: {workers: 1}, ${images}, k3d: ${NAMESPACE}}`),
    });
  });
  afterAll(() => lab?.remove());

  it('stops on Ctrl-C while nodes are made, with exit code 130 and nobody left running', async () => {
    const child = lab.start('up', lab.dir);
    const ended = finish(child);
    await until('both have a node', 180, () =>
      ['lku-kind-control-plane', 'k3d-lku-k3d-server-0'].every((name) => containers().includes(name)),
    );
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain('the rest is made by: lab up');
    expect(runs(/(kind create cluster --name|k3d cluster create) lku-/)).toBe(false);
  });

  const hasLinkerd = (): boolean =>
    ['lku-kind', 'lku-k3d'].some((name) => {
      if (!existsSync(lab.kubeconfig) || !readFileSync(lab.kubeconfig, 'utf8').includes(`name: ${name}\n`))
        return false;
      try {
        return lab.kubectl(name, 'get', 'namespaces', '-o', 'name').includes('namespace/linkerd');
      } catch {
        return false;
      }
    });

  it('goes on after that, and is killed while Linkerd is applied', async () => {
    const child = lab.start('up', lab.dir);
    const ended = finish(child);
    await until('Linkerd is being applied', 300, hasLinkerd);
    child.kill('SIGKILL');
    await ended;
  });

  it('is finished by the next one, and then there is nothing left to do', async () => {
    const second = await lab.lab('up', lab.dir);
    expect(second.code, second.stderr).toBe(0);
    lab.takeCalls();
    const third = await lab.lab('up', lab.dir);
    expect(third.code, third.stderr).toBe(0);
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
    const status = await lab.lab('status', lab.dir, '--exit-code');
    expect(status.code, status.stdout).toBe(0);
  });

  it('has a mesh then in which both reach each other', async () => {
    const verified = await lab.lab('verify', lab.dir, '-o', 'json');
    const cells: { kind: string; result: string }[] = JSON.parse(verified.stdout);
    expect(cells.filter(({ result }) => result !== 'ok')).toEqual([]);
    expect(cells.filter(({ kind }) => kind === 'request')).toHaveLength(2);
  });
});
