/** One test a code of the table in `src/errors.ts`. */
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { changes } from '../stubs/call.ts';
import { created, expectCode, expectUntouched, makeWorld, specs } from './machine.ts';

const ONE = specs({ a: '{}' });

describe('the exit code', () => {
  it('is 0 when something was done', async () => {
    const world = await makeWorld(ONE);
    expectCode(await world.lab('create'), EXIT.done);
    expect(world.changes().length).toBeGreaterThan(0);
  });

  it('is 0 when there is nothing to do', async () => {
    const world = await created(ONE);
    const calls = await world.during(async () => expectCode(await world.lab('create'), EXIT.done));
    expect(calls.filter(changes)).toEqual([]);
  });

  it('is 1 when a step fails', async () => {
    const world = await makeWorld(ONE);
    expectCode(await world.start(['create'], { FAULT: 'kind:create:a:exit7' }).done, EXIT.failed);
  });

  it('is 2 for wrong input', async () => {
    const world = await makeWorld(specs({ a: '{ipFamily: ipv5}' }));
    expectCode(await world.lab('create'), EXIT.input);
    expectUntouched(world);
  });

  it('is 3 when the machine lacks something', async () => {
    const world = await makeWorld(ONE);
    world.uninstall('kind');
    expectCode(await world.lab('create'), EXIT.environment);
    expectUntouched(world);
  });

  it('is 4 while another run holds the lab', async () => {
    const world = await makeWorld(ONE);
    world.start(['create'], { FAULT: 'kind:create:a:sleep60' });
    await world.called('kind:create:a');
    expectCode(await world.lab('create'), EXIT.locked);
  });

  it('is 5 on drift, where that is asked for', async () => {
    const world = await makeWorld(ONE);
    expectCode(await world.lab('status', '--exit-code'), EXIT.drift);
    expectCode(await world.lab('status'), EXIT.done);
    expectCode(await world.lab('create'), EXIT.done);
    expectCode(await world.lab('status', '--exit-code'), EXIT.done);
  });

  it('is 130 when it was interrupted', async () => {
    const world = await makeWorld(ONE);
    const { child, done } = world.start(['create'], { FAULT: 'kind:create:a:sleep60' });
    await world.called('kind:create:a');
    child.kill('SIGINT');
    expectCode(await done, EXIT.interrupted);
  });
});
