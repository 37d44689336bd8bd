import { describe, expect, it } from 'vitest';
import { clusterText, created, expectCode, specs } from './machine.ts';

const PAIR = { a: '{group: g}', b: '{group: g}' };

describe('lab status', () => {
  it('says of a lab that was never routed how to route it, and a repair does the same', async () => {
    const world = await created(specs(PAIR));
    const before = await world.lab('status', '--exit-code');
    expectCode(before, 5);
    expect(before.stdout).toMatch(/^a +routes +drift +0 +1$/m);
    expect(before.stderr).toBe(
      '\nnothing is routed: lab route clusters; after a restart of all nodes lab repair clusters\n',
    );
    const planned = async (verb: string) => {
      const { stdout } = await world.lab(verb, '--dryrun', '-o', 'name');
      return stdout;
    };
    expect(await planned('repair')).toBe(await planned('route'));
    expectCode(await world.lab('route'), 0);
    expectCode(await world.lab('status', '--exit-code'), 0);
  });

  it('advises a repair where some of the routes are there', async () => {
    const world = await created(specs(PAIR));
    expectCode(await world.lab('route'), 0);
    world.store.remove('routing', 'a-control-plane');
    const { stderr } = await world.lab('status');
    expect(stderr).toContain('to put it right: lab create clusters');
    expect(stderr).not.toContain('nothing is routed');
  });

  it('counts a family that the spec asks for only now as drift', async () => {
    const world = await created(specs({ a: '{}' }));
    world.write('clusters/a.yaml', clusterText('a', '{ipFamily: dual}'));
    const outcome = await world.lab('status', '--exit-code');
    expectCode(outcome, 5);
    expect(outcome.stdout).toMatch(/^a +ranges +drift +\S+ +10\.0\.0\.0\/16,fd00:\S+$/m);
  });
});
