import { describe, expect, it } from 'vitest';
import { readJournal } from '../../src/exec/journal.ts';
import { clusterText, expectCode, makeWorld } from '../cli/machine.ts';
import { changes } from '../stubs/call.ts';
import { stateOfLab } from './end-state.ts';
import { FAULTS, THREE } from './rows.ts';

describe('a fault', () => {
  it.each(FAULTS)('$name', async ({ files = THREE, before = [], fault, breaks, mends, ...row }) => {
    const world = await makeWorld(files);
    for (const line of before) expectCode(await world.lab(...line.split(' ')), 0);
    breaks?.(world);
    const outcome = await world.start(row.run.split(' '), fault ? { FAULT: fault } : {}).done;
    expectCode(outcome, row.exit);
    for (const says of row.says) expect(outcome.stderr).toMatch(says);
    expect(outcome.stderr.length).toBeLessThan(10_000);
    expect(outcome.stderr).not.toContain('\u001b');
    const running = world.store.list('containers').filter((one) => one.running);
    expect(running.map(({ name }) => name)).toEqual(row.nodes);
    expect(world.calls().filter((call) => world.runs(call))).toEqual([]);

    mends?.(world);
    const calls = await world.during(async () => expectCode(await world.lab(...row.next.split(' ')), 0));
    expect(
      calls
        .filter(changes)
        .map(({ key }) => key)
        .toSorted(),
    ).toEqual(row.calls.toSorted());
    expect(readJournal(`${stateOfLab(world)}/journal.jsonl`).unfinished).toEqual([]);
  });
});

describe('a group of which one cluster cannot be made', () => {
  it('is one network of the others, and of all once that one is there', async () => {
    const world = await makeWorld({ ...THREE, 'clusters/d.yaml': clusterText('d', '{group: g}') });
    const routes = () =>
      Object.fromEntries(
        world.store.keys('routing').map((key) => [key, world.store.read('routing', key)?.routes.length]),
      );
    expectCode(await world.start(['create'], { FAULT: 'kind:create:d:exit1' }).done, 1);
    expectCode(await world.lab('route'), 0);
    expect(routes()).toEqual({ 'a-control-plane': 2, 'b-control-plane': 2, 'c-control-plane': 2 });
    const calls = await world.during(async () => expectCode(await world.lab('create'), 0));
    expect(
      new Set(
        calls.filter(changes).map(({ key }) =>
          key
            .replace(/-control-plane$/, '')
            .split(':')
            .at(-1),
        ),
      ),
    ).toEqual(new Set(['d']));
    expectCode(await world.lab('route'), 0);
    expect(routes()).toEqual({
      'a-control-plane': 3,
      'b-control-plane': 3,
      'c-control-plane': 3,
      'd-control-plane': 3,
    });
  });
});
