/** What `--dryrun` prints is what happens: no call more, none fewer, none other. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { StepReport } from '../../src/exec/scheduler.ts';
import type { Plan, RunStep, Value } from '../../src/step/step.ts';
import { type Call, changes } from '../stubs/call.ts';
import { clusterText, created, expectCode, expectUntouched, makeWorld, specs, type World } from './machine.ts';

const LAB = specs(
  {
    a: '{nodes: {servers: 1, workers: 2}, zone: east, images: ["my/app:dev"], ports: ["18080:80"]}',
    b: '{ipFamily: dual}',
  },
  '{defaults: {kubernetes: {image: "kindest/node:v1.34.0"}}}',
);

const addImage = (world: World, id = 'sha256:1') =>
  world.store.write('images', 'my/app:dev', { id, name: 'my/app:dev' });

/** A changing call as the plan says it: the words, and what is on standard input. */
interface Said {
  readonly argv: readonly string[];
  readonly stdin: string;
}

/** Prints the plan, carries it out, and compares. Returns the ids of the steps that ran a command. */
async function expectHonest(world: World, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const dry = await world.lab(...args, '--dryrun', '-o', 'json');
  expectCode(dry, 0);
  const plan: Plan = JSON.parse(dry.stdout);
  let reports: readonly StepReport[] = [];
  const calls = await world.during(async () => {
    const real = await world.start([...args, '-o', 'json'], env).done;
    expectCode(real, 0);
    const rounds = [JSON.parse(real.stdout)].flat();
    reports = rounds.flatMap(({ steps }) => steps);
  });
  expect(reports.map(({ id }) => id)).toEqual(plan.steps.map(({ id }) => id));
  const skipped = reports.filter(({ result }) => result === 'skipped').map(({ id }) => id);
  const steps = plan.steps.filter((step) => step.kind === 'run').filter(({ id }) => !skipped.includes(id));
  const text = (value: Value): string => {
    if (typeof value === 'string') return value;
    if ('ref' in value) throw new Error(`a captured value in a changing command: ${value.ref}`);
    return join(world.stateHome, 'lab', 'labs', plan.lab.uid, value.file);
  };
  const said = (step: RunStep): Said => ({ argv: step.argv.map(text), stdin: step.stdin ? text(step.stdin) : '' });
  const done = calls.filter(changes).map(({ program, argv, stdin }): Said => ({ argv: [program, ...argv], stdin }));
  const once = done.map((one) => JSON.stringify(one)).filter((one, index, all) => all.indexOf(one) === index);
  expect(once.toSorted()).toEqual(steps.map((step) => JSON.stringify(said(step))).toSorted());
  expectOrder(calls, plan, said);
  const again = steps.filter(({ retry }) => !retry).map((step) => JSON.stringify(said(step)));
  for (const one of again) expect(done.filter((call) => JSON.stringify(call) === one)).toHaveLength(1);
  return steps.map(({ id }) => id);
}

/** No command ran before one that it needs. */
function expectOrder(calls: readonly Call[], plan: Plan, said: (step: RunStep) => Said): void {
  const places = new Map(
    plan.steps.flatMap((step) => {
      if (step.kind !== 'run') return [];
      const wanted = JSON.stringify(said(step));
      const is = ({ program, argv, stdin }: Call) => JSON.stringify({ argv: [program, ...argv], stdin }) === wanted;
      return [[step.id, { first: calls.findIndex(is), last: calls.findLastIndex(is) }] as const];
    }),
  );
  for (const { id, needs } of plan.steps) {
    for (const need of needs) {
      const [later, earlier] = [places.get(id), places.get(need)];
      if (later && earlier && later.first >= 0) expect(earlier.last, `${need} before ${id}`).toBeLessThan(later.first);
    }
  }
}

describe('the dry run', () => {
  it('changes nothing and writes no file, in every format', async () => {
    const world = await makeWorld(LAB);
    for (const format of ['text', 'wide', 'json', 'yaml', 'name', 'script']) {
      const outcome = await world.lab('create', '--dryrun', '-o', format);
      expectCode(outcome, 0);
      expect(outcome.stdout).not.toBe('');
    }
    expectUntouched(world);
  });

  it('says exactly what a first create does', async () => {
    const world = await makeWorld(LAB);
    addImage(world);
    const steps = await expectHonest(world, ['create']);
    expect(steps).toContain('network');
    expect(steps.filter((id) => id.startsWith('pull/'))).toEqual(['pull/kindest/node:v1.34.0']);
    expect(steps).toEqual(expect.arrayContaining(['a/create', 'b/create', 'a/images', 'a/record', 'a/pool', 'b/pool']));
  });

  it('says exactly what a create does that tries a step again', async () => {
    const world = await makeWorld(LAB);
    addImage(world);
    const fault = 'kubectl:apply:a:exit1=Internal error: failed calling webhook@2';
    await expectHonest(world, ['create'], { FAULT: fault });
    expect(world.calls().filter(({ key }) => key === 'kubectl:apply:a')).toHaveLength(3);
  });

  it('says exactly what a second create does: nothing', async () => {
    const world = await makeWorld(LAB);
    addImage(world);
    expectCode(await world.lab('create'), 0);
    expect(await expectHonest(world, ['create'])).toEqual([]);
  });

  it('says exactly which changes are made in place', async () => {
    const world = await makeWorld(LAB);
    addImage(world);
    expectCode(await world.lab('create'), 0);
    addImage(world, 'sha256:2');
    world.write('clusters/b.yaml', clusterText('b', '{ipFamily: dual, zone: west}'));
    expect(await expectHonest(world, ['create'])).toEqual([
      'a/images',
      'a/record',
      'a/mark',
      'b/zone',
      'b/record',
      'b/mark',
    ]);
  });

  it('says exactly what starts stopped nodes', async () => {
    const world = await created(specs({ a: '{nodes: {servers: 1, workers: 2}}', b: '{}' }));
    for (const node of world.store.list('containers'))
      world.store.write('containers', node.name, { ...node, running: false });
    const steps = await expectHonest(world, ['create']);
    expect(steps).toEqual(expect.arrayContaining(['a/start', 'b/start']));
  });

  it('says exactly what makes a cluster anew', async () => {
    const world = await created(specs({ a: '{}', b: '{}' }));
    const steps = await expectHonest(world, ['create', '--recreate', 'a']);
    expect(steps.slice(0, 2)).toEqual(['a/remove', 'a/create']);
    expect(steps.filter((id) => id.startsWith('b/'))).toEqual([]);
  });

  it('says exactly what a delete does', async () => {
    const world = await created(specs({ a: '{}', b: '{}' }));
    expect(await expectHonest(world, ['delete', 'clusters', 'a'])).toEqual(['a/remove']);
    expect(await expectHonest(world, ['delete', '--all'])).toEqual(['b/remove', 'network/lab-clusters']);
  });

  it('says exactly what routes two clusters, keeps them routed, and stops them', async () => {
    const world = await created(specs({ a: '{group: g, nodes: {servers: 1, workers: 1}}', b: '{group: g}', c: '{}' }));
    const nodes = ['a/routing/a-control-plane', 'a/routing/a-worker', 'b/routing/b-control-plane'];
    expect(await expectHonest(world, ['route'])).toEqual(nodes);
    expect(await expectHonest(world, ['route'])).toEqual([]);
    world.store.remove('routing', 'a-worker');
    expect(await expectHonest(world, ['repair'])).toEqual(['a/routing/a-worker']);
    expect(await expectHonest(world, ['stop', 'clusters', 'b'])).toEqual(['b/stop']);
  });

  it('plans the same bytes twice', async () => {
    const world = await makeWorld(LAB);
    const [one, other] = [
      await world.lab('create', '--dryrun', '-o', 'json'),
      await world.lab('create', '--dryrun', '-o', 'json'),
    ];
    expect(one.stdout).toBe(other.stdout);
  });
});
