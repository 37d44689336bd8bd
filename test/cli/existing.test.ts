/** Clusters that somebody else made, in a lab with clusters of its own. */
import { describe, expect, it } from 'vitest';
import { changes } from '../stubs/call.ts';
import { expectCode, makeWorld, specs, type World } from './machine.ts';

const LAB = specs(
  { mine: '{group: g}', theirs: '{provider: existing, context: kind-theirs, kubeconfig: ../theirs.yaml, group: g}' },
  '{network: {adopt: shared}}',
);

/** A lab on a network on which somebody has a cluster. */
async function shared(files = LAB): Promise<World> {
  const world = await makeWorld(files);
  world.addNetwork('shared', '172.20.0.0/16');
  world.addForeign('theirs', 'shared', '172.20.0.200');
  world.write('theirs.yaml', world.foreignKubeconfig('theirs'));
  return world;
}

/** All that the engine holds of the node of theirs. */
const nodeOf = (world: World) =>
  (['containers', 'labels', 'annotations', 'files', 'certificates'] as const).map((table) =>
    world.store.read(table, table === 'files' ? 'theirs-control-plane:/kind/kubeadm.conf' : 'theirs-control-plane'),
  );

describe('a cluster that is there already', () => {
  it('is shown with what it is, and joins without a change to it', async () => {
    const world = await shared();
    const before = nodeOf(world);
    const info = await world.lab('info');
    expectCode(info, 0);
    expect(info.stdout).toMatch(/^theirs +existing +g +planned +10\.244\.0\.0\/16 +10\.96\.0\.0\/16 +-$/m);
    const calls = await world.during(async () => expectCode(await world.lab('create'), 0));
    expect(calls.filter(changes).filter(({ argv }) => argv.join(' ').includes('theirs'))).toEqual([]);
    expect(world.kubeconfigText()).not.toContain('theirs');
    expect((await world.lab('create')).stderr).toContain('nothing to do');
    expect(nodeOf(world)).toEqual(before);
  });

  it('is routed like any other, and is as it was when the lab goes', async () => {
    const world = await shared();
    const before = nodeOf(world);
    for (const verb of ['create', 'route']) expectCode(await world.lab(verb), 0);
    expectCode(await world.lab('status', '--exit-code'), 0);
    expect(world.store.read('routing', 'theirs-control-plane')?.iptables).toHaveLength(1);
    const stopped = await world.lab('stop');
    expect(stopped.stderr).toContain('theirs was there before this lab: it is neither stopped nor started');
    expect(nodeOf(world)).toEqual(before);
    const deleted = await world.lab('delete', '--all', '--adopt');
    expectCode(deleted, 0);
    expect(deleted.stderr).toContain('theirs was there before this lab: it stays');
    expect(world.store.list('containers').map(({ name }) => name)).toEqual(['theirs-control-plane']);
    expect(nodeOf(world)).toEqual(before);
    expect(world.store.read('routing', 'theirs-control-plane')).toEqual({ routes: [], iptables: [], ip6tables: [] });
  });

  it('keeps Linkerd when the lab goes, and no link', async () => {
    const theirs = '{provider: existing, context: kind-theirs, kubeconfig: ../theirs.yaml, group: g}';
    const world = await shared(specs({ mine: '{group: g}', theirs }, '{network: {adopt: shared}, mesh: {}}'));
    world.install('linkerd');
    expectCode(await world.lab('up'), 0);
    expect(world.store.read('applied', 'theirs:StubLink/mine')).toBeDefined();
    const deleted = await world.lab('delete', '--all');
    expectCode(deleted, 0);
    expect(deleted.stderr).toContain('theirs keeps its Linkerd, which workloads may need');
    expect(world.store.read('applied', 'theirs:StubLink/mine')).toBeUndefined();
    expect(world.store.read('applied', 'theirs:StubControlPlane')).toBeDefined();
  });

  it('is copied again when its credentials change', async () => {
    const world = await shared();
    expectCode(await world.lab('create'), 0);
    world.write('theirs.yaml', world.foreignKubeconfig('theirs').replace('CANARY-', ''));
    const status = await world.lab('status', '--exit-code');
    expectCode(status, 5);
    expect(status.stdout).toMatch(/^theirs +credentials +drift +out of date +kind-theirs$/m);
    expectCode(await world.lab('create'), 0);
    expect((await world.lab('create')).stderr).toContain('nothing to do');
  });

  it('whose context is missing or does not answer is named where it is written, and the rest is not planned beside it', async () => {
    const world = await shared();
    world.write('clusters/theirs.yaml', (LAB['clusters/theirs.yaml'] ?? '').replace('kind-theirs', 'kind-thiers'));
    const missing = await world.lab('create', 'mine', '--dryrun');
    expectCode(missing, 2);
    expect(missing.stderr).toContain(
      `clusters/theirs.yaml:4:37: theirs: there is no context kind-thiers in ${world.root}/theirs.yaml\n  there are: kind-theirs\n`,
    );
    expectCode(await world.lab('status'), 0);
    world.write('clusters/theirs.yaml', LAB['clusters/theirs.yaml'] ?? '');
    world.write('theirs.yaml', world.foreignKubeconfig('theirs').replace(/127\.0\.0\.1:\d+/, '127.0.0.1:1'));
    const away = await world.lab('create');
    expectCode(away, 2);
    expect(away.stderr).toMatch(
      /^clusters\/theirs\.yaml:4:37: theirs: https:\/\/127\.0\.0\.1:1 does not answer: .*ECONNREFUSED/m,
    );
    expect(world.store.list('containers').map(({ name }) => name)).toEqual(['theirs-control-plane']);
  });

  it('whose ranges the lab has given away is refused, with what to change', async () => {
    const files = specs({ mine: '{network: {pods: 10.244.0.0/16}}' }, '{network: {adopt: shared}}');
    const world = await makeWorld(files);
    world.addNetwork('shared', '172.20.0.0/16');
    expectCode(await world.lab('create'), 0);
    world.addForeign('theirs', 'shared', '172.20.0.200');
    world.write('theirs.yaml', world.foreignKubeconfig('theirs'));
    world.write('clusters/theirs.yaml', LAB['clusters/theirs.yaml'] ?? '');
    const outcome = await world.lab('status');
    expectCode(outcome, 2);
    expect(outcome.stderr).toContain(
      'clusters/theirs.yaml:4:37: the pods of theirs, 10.244.0.0/16, overlap the pods of mine, 10.244.0.0/16, which runs\n' +
        '  give mine another range (spec.network.pods) and rebuild it: lab create clusters mine --recreate mine\n',
    );
  });
});
