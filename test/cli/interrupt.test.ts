import { describe, expect, it } from 'vitest';
import { eventually, expectCode, makeWorld, specs, type World } from './machine.ts';

const TWO = specs({ a: '{}', b: '{}' });

/** What a person would call the state of the machine; addresses depend on which cluster was first. */
const stateOf = (world: World) => ({
  networks: world.store.list('networks'),
  containers: world.store.list('containers').map(({ addresses: _, ...rest }) => rest),
  files: world.store.keys('files').map((key) => [key, world.store.read('files', key)]),
  annotations: world.store.list('annotations'),
  applied: world.store.list('applied'),
  contexts: (world.kubeconfigText()?.match(/name: .*/g) ?? []).toSorted(),
});

describe('an interrupt', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    it(`${signal} ends what runs, starts nothing more, says what is left, and exits 130`, async () => {
      const world = await makeWorld(TWO);
      const { child, done } = world.start(['create'], { FAULT: 'kind:create:a:sleep60;kind:create:b:sleep60' });
      const calls = [await world.called('kind:create:a'), await world.called('kind:create:b')];
      const before = world.calls().length;
      child.kill(signal);
      const outcome = await done;
      expectCode(outcome, 130);
      expect(calls.filter((call) => world.runs(call))).toEqual([]);
      expect(world.calls().length).toBe(before);
      expect(outcome.stderr).toContain('stopping: running commands are asked to end');
      expect(outcome.stderr).toMatch(/\d+ of \d+ steps were not done\..* the rest is made by: lab create$/m);
      expect(world.kubeconfigText()).toBeUndefined();
    });
  }

  it('leaves what a create goes on from', async () => {
    const world = await makeWorld(TWO);
    const { child, done } = world.start(['create'], { FAULT: 'kind:create:a:sleep60' });
    await world.called('kubectl:annotate:b');
    await world.called('kind:create:a');
    child.kill('SIGINT');
    expectCode(await done, 130);
    const calls = await world.during(async () => expectCode(await world.lab('create'), 0));
    const keys = calls.map(({ key }) => key);
    expect(keys.indexOf('kind:delete:a')).toBeLessThan(keys.indexOf('kind:create:a'));
    expect(keys).toContain('kind:delete:a');
    expect(keys).not.toContain('kind:create:b');
  });

  it('twice, kills and leaves within a second', async () => {
    const world = await makeWorld(TWO);
    const { child, done } = world.start(['create', 'a'], { FAULT: 'kind:create:a:stubborn60' });
    const call = await world.called('kind:create:a');
    await eventually(() => world.store.list('containers').length > 0, 'the nodes of a');
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    child.kill('SIGINT');
    await eventually(() => stderr.includes('once more kills them'), 'the answer to the first interrupt');
    expect(world.runs(call)).toBe(true);
    const begun = performance.now();
    child.kill('SIGINT');
    expectCode(await done, 130);
    expect(performance.now() - begun).toBeLessThan(1000);
    await eventually(() => !world.runs(call), 'the end of the child');
  });

  it('of a run that nobody can ask any more leaves no trace after the next create', async () => {
    const world = await makeWorld(TWO);
    const { child, done } = world.start(['create'], { FAULT: 'kind:create:a:sleep60' });
    const orphan = await world.called('kind:create:a');
    await world.called('kubectl:annotate:b');
    await eventually(() => world.store.read('containers', 'a-control-plane') !== undefined, 'the nodes of a');
    child.kill('SIGKILL');
    await done;
    expect(world.runs(orphan)).toBe(true);

    let stderr = '';
    const calls = await world.during(async () => {
      const outcome = await world.lab('create');
      expectCode(outcome, 0);
      stderr = outcome.stderr;
    });
    expect(world.runs(orphan)).toBe(false);
    expect(stderr).toContain(`ending what an interrupted run left behind: a/create (pid ${orphan.pid})`);
    expect(stderr).toContain('a: it never became ready, so it is made anew');
    const made = calls.map(({ key }) => key).filter((key) => key.startsWith('kind:'));
    expect(made).toEqual(['kind:delete:a', 'kind:create:a']);

    const recovered = stateOf(world);
    expectCode(await world.lab('delete', '--all'), 0);
    expectCode(await world.lab('create'), 0);
    expect(recovered).toEqual(stateOf(world));
  });

  it('of a killed run is shown by status, and does not keep its lock', async () => {
    const world = await makeWorld(TWO);
    const { child, done } = world.start(['create', 'a'], { FAULT: 'kind:create:a:sleep60' });
    await world.called('kind:create:a');
    const working = (await world.lab('status')).stderr;
    expect(working).toMatch(new RegExp(`^at work \\(pid ${child.pid}, lab create, since [\\d:]+\\): a/create$`, 'm'));
    child.kill('SIGKILL');
    await done;
    const died = (await world.lab('status')).stderr;
    expect(died).toMatch(
      new RegExp(
        `^interrupted \\(pid ${child.pid}, lab create, since [\\d:]+\\), in the middle of: a/create\n  go on .*: lab create clusters$`,
        'm',
      ),
    );
    const outcome = await world.lab('delete', '--all');
    expectCode(outcome, 0);
    expect(outcome.stderr).toContain(
      `took over the lock of lab clusters from a run that died: pid ${child.pid}, lab create`,
    );
    expect((await world.lab('status')).stderr).not.toContain('interrupted');
    expect(world.store.list('containers')).toEqual([]);
    expect(world.store.list('networks').map(({ name }) => name)).toEqual(['bridge']);
  });

  it('of a command that only reads leaves at once, and nobody behind', async () => {
    const world = await makeWorld(TWO);
    for (const args of [['info'], ['delete', '--all'], ['create']]) {
      const before = world.calls().length;
      const { child, done } = world.start(args, { FAULT: 'docker:info:{{json .}}:sleep60' });
      const started = () =>
        world
          .calls()
          .slice(before)
          .find(({ argv }) => argv[0] === 'info');
      await eventually(() => started() !== undefined, 'docker info');
      child.kill('SIGINT');
      expectCode(await done, 130);
      await eventually(() => world.calls().every((call) => !world.runs(call)), 'the end of the children');
    }
  });
});
