/** `lab up` as it is typed, before stubs that remember what was done. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../../src/step/step.ts';
import { type Call, changes } from '../stubs/call.ts';
import { expectCode, expectUntouched, makeWorld, specs, type World } from './machine.ts';

const MESH = '{mesh: linkerd, groups: {face: {mode: flat}}}';
const LAB = specs({ a: '{group: face, nodes: {workers: 1}}', b: '{group: face, ipFamily: dual}' }, MESH);

async function machine(files = LAB): Promise<World> {
  const world = await makeWorld(files);
  world.install('linkerd');
  return world;
}

const linesOf = (calls: readonly Call[]) => calls.map(({ program, argv }) => [program, ...argv].join(' '));

const fileOf = (path: string) => ({ file: path.replace(/^.*\/(kubeconfigs\/)/, '$1') });

/** What is not as the specs ask for. */
async function drift(world: World): Promise<unknown[]> {
  const { stdout } = await world.lab('status', '-o', 'json');
  return JSON.parse(stdout).filter(({ result }: { result: string }) => result !== 'ok');
}

describe('lab up', () => {
  it('does all that the specs ask for, as its dry run said, and nothing a second time', async () => {
    const world = await machine();
    const dry = await world.lab('up', '--dryrun', '-o', 'json');
    expectCode(dry, 0);
    expectUntouched(world);
    const plan: Plan = JSON.parse(dry.stdout);
    const said = new Set(plan.steps.flatMap((step) => (step.kind === 'run' ? [JSON.stringify(step.argv)] : [])));
    let real = dry;
    const calls = await world.during(async () => {
      real = await world.lab('up', '-o', 'json');
    });
    expectCode(real, 0);
    const file = (word: string) => (word.includes(plan.lab.uid) && word.endsWith('.yaml') ? fileOf(word) : word);
    for (const { program, argv } of calls.filter(changes))
      expect(said).toContain(JSON.stringify([program, ...argv.map(file)]));
    const { steps, clusters } = JSON.parse(real.stdout);
    expect(steps.map(({ id }: { id: string }) => id)).toEqual(plan.steps.map(({ id }) => id));
    expect(clusters.map(({ name, linkerd }: Record<string, string>) => [name, linkerd])).toEqual([
      ['a', 'edge-26.8.3'],
      ['b', 'edge-26.8.3'],
    ]);
    expect(await drift(world)).toEqual([]);
    const again = await world.during(async () => expectCode(await world.lab('up'), 0));
    expect(linesOf(again.filter(changes))).toEqual([]);
  });

  it('shows what waits for another cluster, and nothing else does', async () => {
    const world = await machine();
    const dry = await world.lab('up', '--dryrun');
    expectCode(dry, 0);
    const waits = dry.stdout.split('\n').flatMap((line) => /^ {4}(after .*)/.exec(line)?.[1] ?? []);
    expect([...new Set(waits)].toSorted()).toEqual([
      'after a: install the multicluster extension',
      'after a: read which pods each node has',
      'after a: wait for 2 nodes',
      "after b: add b-control-plane's IPv6 address to its API server's certificate",
      'after b: install the multicluster extension',
      'after b: read which pods each node has',
      'after b: wait for the node',
    ]);
    const script = await world.lab('up', '--dryrun', '-o', 'script');
    expectCode(script, 0);
    expect(script.stdout).toContain('<<<"$a_pod_ranges"');
  });

  it('goes on without the cluster that fails, and adds only what is missing later', async () => {
    const three = specs({ a: '{group: face}', b: '{group: face}', c: '{group: face}' }, MESH);
    const world = await machine(three);
    const run = await world.start(['up'], { FAULT: 'kind:create:b:exit1=it broke' }).done;
    expectCode(run, 1);
    expect(run.stderr).toMatch(/b: could not create the nodes[\s\S]*it broke/);
    expect(world.store.read('applied', 'a:StubLink/c')).toBeDefined();
    expect(world.store.read('applied', 'c:StubLink/a')).toBeDefined();
    const calls = linesOf((await world.during(async () => expectCode(await world.lab('up'), 0))).filter(changes));
    expect(calls.filter((line) => /^(kind|k3d) /.test(line))).toHaveLength(1);
    expect(await drift(world)).toEqual([]);
    // Of the clusters that stood: a route to the new one, a controller for its link, and the link.
    expect(calls.filter((line) => line.includes('/a.yaml') && line.includes(' annotate namespace linkerd '))).toEqual(
      [],
    );
    expect(calls.filter((line) => line.includes('docker exec -i a-control-plane'))).toHaveLength(1);
  });

  it('creates and routes a lab without a mesh, with no linkerd in sight', async () => {
    const world = await makeWorld(specs({ a: '{group: g}', b: '{group: g, provider: k3d}' }));
    expectCode(await world.lab('up'), 0);
    expect(await drift(world)).toEqual([]);
    expect(linesOf(world.calls()).filter((line) => line.startsWith('linkerd'))).toEqual([]);
  });

  it('starts what is stopped, and gives it back what it lost', async () => {
    const world = await machine();
    expectCode(await world.lab('up'), 0);
    expectCode(await world.lab('stop', 'b'), 0);
    const dry = await world.lab('up', '--dryrun');
    expect(dry.stderr).toContain(
      'b: first has to start or to join; its routes, Linkerd, links and apps are planned once it answers',
    );
    expectCode(await world.lab('up'), 0);
    expect(await drift(world)).toEqual([]);
  });

  it('says before anything is made that a CLI is missing, and shows the plan all the same', async () => {
    const world = await makeWorld(LAB);
    const dry = await world.lab('up', '--dryrun');
    expectCode(dry, 0);
    expect(dry.stderr).toContain('linkerd is not here; planned all the same');
    const run = await world.lab('up');
    expectCode(run, 3);
    expect(run.stderr).toMatch(/nothing was changed: linkerd is not here\n +Linkerd edge-25.4.4 \(2.18\) or newer: /);
    expect(world.changes()).toEqual([]);
  });
});
