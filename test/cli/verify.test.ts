/** `lab verify`, as far as stubs can tell: nothing of theirs sends a packet. */
import { describe, expect, it } from 'vitest';
import { created, expectCode, expectUntouched, makeWorld, specs } from './machine.ts';

const THREE = specs({
  a: '{group: face, ipFamily: dual}',
  b: '{group: face, ipFamily: dual, nodes: {workers: 1}}',
  alone: '{}',
});

describe('lab verify --plan', () => {
  it('walks the planned routes without an engine, and changes nothing', async () => {
    const world = await makeWorld(THREE);
    world.uninstall('docker');
    const outcome = await world.lab('verify', '--plan', '-o', 'json');
    expectCode(outcome, 0);
    const cells = JSON.parse(outcome.stdout);
    expect(cells).toHaveLength(8);
    expect(cells[0]).toMatchObject({
      kind: 'pod',
      result: 'ok',
      predicted: true,
      source: expect.stringMatching(/^10\./),
    });
    expectUntouched(world);
  });

  it('shows the matrix of the named clusters and their peers', async () => {
    const world = await makeWorld(THREE);
    expect((await world.lab('verify', '--plan', 'a')).stdout).toContain('8 of 8 answer, 0 failed');
    expect((await world.lab('verify', '--plan', 'alone')).stdout).toContain('nothing to verify');
  });
});

describe('lab verify', () => {
  it('needs an engine to measure, and says so', async () => {
    const world = await makeWorld(THREE);
    world.uninstall('docker');
    const outcome = await world.lab('verify');
    expectCode(outcome, 3);
    expect(outcome.stderr).toContain('nothing was measured: docker is not on the PATH');
  });

  it('shows with --dryrun what it puts on the clusters and takes away again', async () => {
    const world = await created(THREE);
    const { steps } = JSON.parse((await world.lab('verify', '--dryrun', '--image', 'my/probe', '-o', 'json')).stdout);
    expect(steps.map(({ id }: { id: string }) => id)).toEqual(
      ['a', 'alone', 'b']
        .flatMap((name) => [`${name}/probes`, `${name}/probes-ready`])
        .concat(['a/clean', 'alone/clean', 'b/clean']),
    );
    expect(steps[0].stdin).toContain('image: my/probe');
  });

  it.each([
    ['a cluster that is not in the lab', ['a/pod', 'x/pod'], 2, 'no cluster x in clusters'],
    ['a cluster that was never made', ['a/pod', 'b/pod'], 3, 'a does not exist'],
  ])('refuses a path with %s', async (_, words, code, text) => {
    const world = await makeWorld(THREE);
    const outcome = await world.lab('verify', ...words);
    expectCode(outcome, code);
    expect(outcome.stderr).toContain(text);
  });

  it('names the pods that there are, when one is misspelt', async () => {
    const world = await created(THREE);
    const outcome = await world.lab('verify', 'a/pod', 'b/pod');
    expectCode(outcome, 1);
    expect(outcome.stderr).toMatch(/lab: [ab] has no pod( or service)? pod in namespace default/);
  });
});
