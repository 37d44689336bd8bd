/** k3d beside kind, with a stub of k3d that has k3d's bad habits. */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { changes } from '../stubs/call.ts';
import { created, expectCode, makeWorld, specs, type World } from './machine.ts';

const LAB = specs({
  a: '{group: g}',
  b: '{provider: k3d, group: g, zone: east, nodes: {workers: 1}, images: ["my/app:dev"]}',
});
const withImage = async (): Promise<World> => {
  const world = await makeWorld(LAB);
  world.store.write('images', 'my/app:dev', { id: 'sha256:1', name: 'my/app:dev' });
  return world;
};
const contexts = (world: World): string[] =>
  parse(world.kubeconfigText() ?? '').contexts.map(({ name }: { name: string }) => name);

describe('a lab of kind and k3d', () => {
  it('is made, routed, and left alone by the second run', async () => {
    const world = await withImage();
    expectCode(await world.lab('create'), 0);
    expect(contexts(world).toSorted()).toEqual(['a', 'b', 'k3d-b', 'kind-a']);
    expect(world.store.read('labels', 'k3d-b-agent-0')).toEqual({ 'topology.kubernetes.io/zone': 'east' });
    expectCode(await world.lab('route'), 0);
    expectCode(await world.lab('status', '--exit-code'), 0);
    expect(world.store.read('routing', 'k3d-b-agent-0')?.iptables[0]).toMatch(
      /^POSTROUTING -s \S+ -d \S+ -m comment --comment lab -j ACCEPT$/,
    );
    const calls = await world.during(async () => {
      expectCode(await world.lab('create'), 0);
      expectCode(await world.lab('route'), 0);
    });
    expect(calls.filter(changes)).toEqual([]);
  });

  it('comes up whatever K3D_ variables are exported', async () => {
    const world = await withImage();
    const env = { K3D_NETWORK: 'elsewhere', K3D_IMAGE_TOOLS: 'mine/tools:1' };
    expectCode(await world.start(['create'], env).done, 0);
    expect(world.store.list('containers').every(({ network }) => network === 'lab-clusters')).toBe(true);
  });

  it('is stopped, started and repaired', async () => {
    const world = await withImage();
    for (const line of ['create', 'route', 'stop']) expectCode(await world.lab(line), 0);
    expect(world.store.list('containers').some(({ running }) => running)).toBe(false);
    expectCode(await world.lab('start'), 0);
    expectCode(await world.lab('status', '--exit-code'), 0);
  });

  it("loses its k3d cluster alone, and k3d does not see the user's kubeconfig", async () => {
    const world = await withImage();
    expectCode(await world.lab('create'), 0);
    expectCode(await world.lab('delete', 'b'), 0);
    expect(world.kubeconfigText()).not.toContain('rewritten by k3d');
    expect(contexts(world)).toEqual(['a', 'kind-a']);
    expect(world.store.list('containers').map(({ name }) => name)).toEqual(['a-control-plane']);
    expectCode(await world.lab('create'), 0);
    expectCode(await world.lab('delete', '--all'), 0);
    expect(world.store.list('containers')).toEqual([]);
  });

  it('is made anew where a create was killed before there was a node', async () => {
    const world = await created(specs({ a: '{}' }));
    world.write('clusters/b.yaml', LAB['clusters/b.yaml']?.replace(', images: ["my/app:dev"]', '') ?? '');
    const labels = { app: 'k3d', 'k3d.cluster': 'b', 'k3d.role': 'noRole' };
    const name = 'k3d-b-tools';
    const helper = { id: 'x', name, labels, running: true, addresses: [], mounts: [], ports: [] };
    world.store.write('containers', name, { ...helper, network: 'bridge' });
    const refused = await world.lab('create');
    expectCode(refused, 2);
    expect(refused.stderr).toMatch(
      /a k3d cluster called b exists and was not made by lab\n.*lab delete clusters b --adopt/,
    );
    world.store.write('containers', name, { ...helper, network: 'lab-clusters' });
    const outcome = await world.lab('create');
    expectCode(outcome, 0);
    expect(outcome.stderr).toContain('b: it never became ready, so it is made anew');
  });

  it('is not begun with a k3d that is too old', async () => {
    const world = await withImage();
    world.store.write('engine', 'engine', { id: 'ENGINE', kernel: 'not this one', k3d: '5.4.9' });
    const outcome = await world.lab('create');
    expectCode(outcome, 3);
    expect(outcome.stderr).toMatch(
      /^lab: nothing was created: k3d 5\.4\.9 is too old: 5\.5\.0 is the first that will do\n {2}install a newer one: https:/m,
    );
    expect(world.changes()).toEqual([]);
    // What needs no k3d does not ask for it.
    expectCode(await world.lab('create', 'a'), 0);
  });
});
