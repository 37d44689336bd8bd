/** Without an engine `lab` still says what it would do, and changes nothing. */
import { describe, expect, it } from 'vitest';
import { expectCode, expectUntouched, makeWorld, messages, specs, type World } from './machine.ts';

const TWO = specs({ a: '{}', b: '{ipFamily: dual, nodes: {servers: 1, workers: 1}}' });

const ENGINES: Readonly<
  Record<string, { readonly break: (world: World) => void; readonly missing: string; readonly hint: string }>
> = {
  'no docker': {
    break: (world) => world.uninstall('docker'),
    missing: 'docker is not on the PATH',
    hint: 'install it: https://docs.docker.com/engine/install/',
  },
  'a docker that reaches no engine': {
    break: (world) =>
      breakEngine(world, 'Cannot connect to the Docker daemon at unix:///run/x.sock. Is the docker daemon running?'),
    missing: 'no Docker engine answers at unix:///run/x.sock',
    hint: 'start Docker',
  },
  'a docker that is not allowed in': {
    break: (world) =>
      breakEngine(
        world,
        'permission denied while trying to connect to the Docker daemon socket at unix:///run/x.sock: dial unix /run/x.sock: connect: permission denied',
      ),
    missing: 'Docker does not let this user in (unix:///run/x.sock',
    hint: 'sudo usermod -aG docker "$USER"',
  },
};

const breakEngine = (world: World, error: string) =>
  world.store.write('engine', 'engine', { id: 'ENGINE', kernel: '', error });

describe.each(Object.entries(ENGINES))('with %s', (_, engine) => {
  it('a dry run prints the whole plan, and that it is a guess', async () => {
    const world = await makeWorld(TWO);
    const withEngine = await world.lab('create', '--dryrun', '-o', 'name');
    engine.break(world);
    for (const format of ['name', 'text', 'script']) {
      const outcome = await world.lab('create', '--dryrun', '-o', format);
      expectCode(outcome, 0);
      expect(outcome.stderr).toContain('warning: no engine answers: planned as if nothing but this lab used it');
      if (format === 'name') expect(outcome.stdout).toBe(withEngine.stdout);
      else expect(outcome.stdout).toContain('kind create cluster --name b');
    }
    expectUntouched(world);
  });

  it('a create prints the plan, what is missing and what to do about it, and exits 3', async () => {
    const world = await makeWorld(TWO);
    engine.break(world);
    const outcome = await world.lab('create');
    expectCode(outcome, 3);
    expect(outcome.stdout).toContain('kind create cluster --name b');
    expect(outcome.stdout).toContain('Plan: 2 clusters to create');
    const last = messages(outcome.stderr).at(-1);
    expect(last).toContain(`lab: nothing was created: ${engine.missing}`);
    expect(last).toContain(`\n  ${engine.hint}`);
    expect(outcome.stderr).not.toMatch(/at .*\(.*:\d+\)/);
    expectUntouched(world);
  });

  it('a delete says what is missing, and exits 3', async () => {
    const world = await makeWorld(TWO);
    engine.break(world);
    const outcome = await world.lab('delete', '--all');
    expectCode(outcome, 3);
    expect(outcome.stderr).toContain(`lab: nothing was deleted: ${engine.missing}`);
    expect(world.changes()).toEqual([]);
  });

  it('info and validate work', async () => {
    const world = await makeWorld(TWO);
    engine.break(world);
    const outcome = await world.lab('info', '-o', 'json');
    expectCode(outcome, 0);
    expect(JSON.parse(outcome.stdout)).toMatchObject([{ name: 'a', state: 'planned' }, { name: 'b' }]);
    expectCode(await world.lab('validate'), 0);
  });

  it('doctor exits 3', async () => {
    const world = await makeWorld(TWO);
    engine.break(world);
    const outcome = await world.lab('doctor', '-o', 'json');
    expectCode(outcome, 3);
    expect(JSON.parse(outcome.stdout)).toContainEqual({
      name: 'engine',
      result: 'failed',
      detail: expect.stringContaining(engine.missing),
      hint: expect.stringContaining(engine.hint),
    });
  });
});

describe.each(['kind', 'kubectl'])('without %s', (tool) => {
  it('a create prints the plan and names it, and exits 3', async () => {
    const world = await makeWorld(TWO);
    world.uninstall(tool);
    const outcome = await world.lab('create');
    expectCode(outcome, 3);
    expect(outcome.stdout).toContain('Plan: 2 clusters to create');
    expect(messages(outcome.stderr)).toEqual([
      expect.stringMatching(
        new RegExp(`^lab: nothing was created: ${tool} is not on the PATH\n  install it: https://`),
      ),
    ]);
    expectUntouched(world);
  });

  it('a dry run is the same as with it', async () => {
    const world = await makeWorld(TWO);
    const before = await world.lab('create', '--dryrun');
    world.uninstall(tool);
    expect(await world.lab('create', '--dryrun')).toEqual(before);
  });
});
