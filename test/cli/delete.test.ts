import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { changes } from '../stubs/call.ts';
import { clusterText, created, expectCode, makeWorld, messages, specs, type World } from './machine.ts';

const TWO = specs({ faces: '{}', smiley: '{}' });

const clustersOf = (world: World): string[] =>
  world.store.list('containers').map(({ name }) => name.replace('-control-plane', ''));
const networksOf = (world: World): string[] => world.store.list('networks').map(({ name }) => name);
const contextsOf = (world: World): string[] =>
  parse(world.kubeconfigText() ?? '')
    .contexts.map(({ name }: { name: string }) => name)
    .sort();

describe('lab delete', () => {
  it('removes one cluster, its contexts and its credentials, and nothing of the others', async () => {
    const world = await makeWorld(TWO);
    writeFileSync(
      world.kubeconfig,
      '# mine\nclusters: [{name: x, cluster: {server: "https://x"}}]\ncontexts: [{name: x, context: {cluster: x, user: x}}]\nusers: [{name: x, user: {}}]\ncurrent-context: x\n',
    );
    expectCode(await world.lab('create'), 0);
    const outcome = await world.lab('delete', 'smiley');
    expectCode(outcome, 0);
    expect(outcome.stdout).toBe('cluster/smiley deleted\n');
    expect(clustersOf(world)).toEqual(['faces']);
    expect(contextsOf(world)).toEqual(['faces', 'kind-faces', 'x']);
    expect(networksOf(world)).toEqual(['bridge', 'lab-clusters']);
    expect(world.kubeconfigText()).toMatch(/^# mine\n/);
    expect(parse(world.kubeconfigText() ?? '')['current-context']).toBe('x');
    const [uid = ''] = readdirSync(join(world.stateHome, 'lab', 'labs'));
    expect(readdirSync(join(world.stateHome, 'lab', 'labs', uid, 'kubeconfigs'))).toEqual(['faces.yaml']);
  });

  it('is done when the cluster is gone already', async () => {
    const world = await created(TWO);
    expectCode(await world.lab('delete', 'smiley'), 0);
    const calls = await world.during(async () => {
      const again = await world.lab('delete', 'smiley');
      expectCode(again, 0);
      expect(again.stderr).toBe('nothing to delete: smiley does not exist\n');
    });
    expect(calls.filter(changes)).toEqual([]);
  });

  it('removes all, and the network with the last cluster', async () => {
    const world = await created(TWO);
    expectCode(await world.lab('delete', '--all'), 0);
    expect(clustersOf(world)).toEqual([]);
    expect(networksOf(world)).toEqual(['bridge']);
    expect(contextsOf(world)).toEqual([]);
    const again = await world.lab('delete', '--all');
    expectCode(again, 0);
    expect(again.stderr).toContain('nothing to delete');
  });

  it('keeps a network that somebody else uses', async () => {
    const world = await created(TWO);
    world.store.write('containers', 'guest', {
      id: 'id-guest',
      name: 'guest',
      labels: {},
      running: false,
      network: 'lab-clusters',
      addresses: [],
      mounts: [],
      ports: [],
    });
    const outcome = await world.lab('delete', '--all', '-o', 'json');
    expectCode(outcome, 0);
    expect(JSON.parse(outcome.stdout).steps).toContainEqual(
      expect.objectContaining({
        id: 'network/lab-clusters',
        result: 'skipped',
        detail: expect.stringContaining('it stays'),
      }),
    );
    expect(networksOf(world)).toContain('lab-clusters');
  });

  it('keeps an adopted network', async () => {
    const world = await makeWorld(specs({ faces: '{}' }, '{network: {adopt: shared}}'));
    world.addNetwork('shared', '172.30.0.0/16');
    expectCode(await world.lab('create'), 0);
    expectCode(await world.lab('delete', '--all'), 0);
    expect(clustersOf(world)).toEqual([]);
    expect(networksOf(world)).toContain('shared');
  });

  describe('of one of a group', () => {
    const GROUP = specs({ a: '{group: g}', b: '{group: g, ipFamily: dual}', c: '{group: g}' });
    const grouped = async (): Promise<World> => {
      const world = await created(GROUP);
      expectCode(await world.lab('group'), 0);
      return world;
    };
    /** Everything that the nodes of a cluster have in their routes and rules. */
    const routingOf = (world: World, name: string): string =>
      JSON.stringify(world.store.read('routing', `${name}-control-plane`) ?? '');
    const podsOf = async (world: World, name: string): Promise<string> =>
      JSON.parse((await world.lab('info', name, '-o', 'json')).stdout)[0].pods[0];

    it('takes its routes and exemptions away from the others, and only those', async () => {
      const world = await grouped();
      const [gone, stays] = [await podsOf(world, 'c'), await podsOf(world, 'a')];
      expect(routingOf(world, 'b')).toContain(gone);
      const dry = await world.lab('delete', 'c', '--dryrun', '-o', 'name');
      expect(dry.stdout.split('\n')).toEqual(
        expect.arrayContaining(['c/remove', 'a/routing/a-control-plane', 'b/routing/b-control-plane']),
      );
      rmSync(join(world.root, 'clusters/c.yaml'));
      expectCode(await world.lab('delete', 'c'), 0);
      for (const name of ['a', 'b']) expect(routingOf(world, name)).not.toContain(gone.slice(0, -'0/16'.length));
      expect(routingOf(world, 'b')).toContain(stays);
      const again = await world.during(() => world.lab('delete', 'c'));
      expect(again.filter(changes)).toEqual([]);
      expect((await world.during(() => world.lab('group'))).filter(changes)).toEqual([]);
    });

    it('also when somebody else removed it', async () => {
      const world = await grouped();
      const gone = await podsOf(world, 'c');
      world.store.remove('containers', 'c-control-plane');
      expectCode(await world.lab('delete', 'c'), 0);
      expect(routingOf(world, 'a')).not.toContain(gone);
    });
  });

  it('needs no specs', async () => {
    const world = await created(TWO);
    rmSync(join(world.root, 'clusters'), { recursive: true });
    expectCode(await world.lab('delete', './clusters', '--all'), 0);
    expect(clustersOf(world)).toEqual([]);
    expect(networksOf(world)).toEqual(['bridge']);
    expect(contextsOf(world)).toEqual([]);
  });

  it('needs no specs that can be read', async () => {
    const world = await created(TWO);
    world.write('clusters/faces.yaml', '{');
    expectCode(await world.lab('delete', 'faces'), 0);
    expect(clustersOf(world)).toEqual(['smiley']);
  });

  it('removes a cluster whose spec alone is gone', async () => {
    const world = await created(TWO);
    rmSync(join(world.root, 'clusters/smiley.yaml'));
    expectCode(await world.lab('delete', '--all'), 0);
    expect(clustersOf(world)).toEqual([]);
  });

  it('takes away the contexts of a cluster that somebody else removed', async () => {
    const world = await created(TWO);
    world.store.remove('containers', 'smiley-control-plane');
    expectCode(await world.lab('delete', 'smiley'), 0);
    expect(contextsOf(world)).toEqual(['faces', 'kind-faces']);
  });

  it('needs no tool that only clusters of others were made with', async () => {
    const world = await created(specs({ faces: '{}' }));
    world.store.write('containers', 'k3d-theirs-server-0', {
      ...{ id: 'id-theirs', name: 'k3d-theirs-server-0', running: true, network: 'bridge' },
      labels: { app: 'k3d', 'k3d.cluster': 'theirs', 'k3d.role': 'server' },
      ...{ addresses: ['172.17.0.8'], mounts: [], ports: [] },
    });
    expectCode(await world.lab('delete', 'faces'), 0);
    expect(world.store.list('containers').map(({ name }) => name)).toEqual(['k3d-theirs-server-0']);
  });

  it('refuses a cluster that it did not make, unless told to', async () => {
    const world = await makeWorld(TWO);
    world.addForeign('smiley');
    const refused = await world.lab('delete', 'smiley');
    expectCode(refused, 2);
    expect(messages(refused.stderr)).toEqual([
      'command line: kind cluster smiley was not made by lab\n  delete it all the same: --adopt',
    ]);
    expect(world.changes()).toEqual([]);
    expectCode(await world.lab('delete', '--all'), 0);
    expect(clustersOf(world)).toEqual(['smiley']);
    expectCode(await world.lab('delete', 'smiley', '--adopt'), 0);
    expect(clustersOf(world)).toEqual([]);
  });

  it('refuses a cluster of another lab', async () => {
    const world = await created(TWO);
    world.write('other/smiley.yaml', clusterText('smiley'));
    const refused = await world.lab('delete', './other', 'smiley');
    expectCode(refused, 2);
    expect(refused.stderr).toContain('belongs to');
    expect(clustersOf(world)).toEqual(['faces', 'smiley']);
  });

  it('suggests a name for one that it does not know, and deletes nothing', async () => {
    const world = await created(TWO);
    const calls = await world.during(async () => {
      const outcome = await world.lab('delete', 'faces', 'smily');
      expectCode(outcome, 2);
      expect(messages(outcome.stderr)).toEqual([
        'command line: no cluster smily in clusters, nor on this engine\n  did you mean smiley?',
      ]);
    });
    expect(calls.filter(changes)).toEqual([]);
  });

  it('wants a name', async () => {
    const world = await created(TWO);
    const outcome = await world.lab('delete');
    expectCode(outcome, 2);
    expect(messages(outcome.stderr)).toEqual([
      'command line: which clusters of clusters? It has: faces, smiley\n  name them, or delete all: lab delete clusters --all',
    ]);
    expectCode(await world.lab('delete', 'faces', '--all'), 2);
    expect(clustersOf(world)).toEqual(['faces', 'smiley']);
  });

  it('keeps the credentials of a cluster that it could not delete', async () => {
    const world = await created(TWO);
    const outcome = await world.start(['delete', '--all'], { FAULT: 'kind:delete:faces:exit1' }).done;
    expectCode(outcome, 1);
    expect(outcome.stdout).toBe('cluster/smiley deleted\n');
    expect(outcome.stderr).toContain('faces: could not delete the nodes');
    expect(networksOf(world)).toContain('lab-clusters');
    const { stdout } = await world.lab('info', 'faces', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject([
      { state: 'ready', endpoints: { host: expect.stringContaining('https://') } },
    ]);
    expectCode(await world.lab('delete', '--all'), 0);
    expect(networksOf(world)).toEqual(['bridge']);
  });
});
