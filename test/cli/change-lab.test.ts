import { describe, expect, it } from 'vitest';
import { neverSettled, roundAfter } from '../../src/cli/change-lab.ts';
import type { Plan, Step } from '../../src/step/step.ts';
import { expectCode, makeWorld, specs } from './machine.ts';

const plan = (...kinds: readonly Step['kind'][]): Plan =>
  ({ steps: kinds.map((kind) => ({ kind, clusters: ['a'] })) }) as unknown as Plan;

describe('a round that had to wait for a cluster', () => {
  const repair = { plan: () => plan(), readsRouting: true, patience: 300 };

  it('is repeated, for its time, since what the cluster lacks showed too late for it', () => {
    expect(roundAfter(repair, plan('run', 'wait'), 299)).toBe(repair);
    expect(roundAfter(repair, plan('run', 'wait'), 300)).toBe('no more');
  });

  it('is the last where nothing had to be waited for, or the verb has no patience', () => {
    expect(roundAfter(repair, plan('run'), 0)).toBeUndefined();
    const { patience, ...once } = repair;
    expect(roundAfter(once, plan('wait'), 0)).toBeUndefined();
  });

  it('gives up with what is not known, and what to type', () => {
    const error = neverSettled(plan('wait', 'run', 'wait'), 'lab repair');
    expect(error.message).toBe(
      'gave up: a had to be waited for in every round, so what is missing beyond that is not known',
    );
    expect(error.hint).toContain('lab repair');
  });
});

it('says of what does not exist that there is nothing of it to change', async () => {
  const world = await makeWorld(specs({ a: '{group: g}', b: '{group: g}' }));
  for (const verb of ['stop', 'repair']) {
    const outcome = await world.lab(verb, 'a');
    expectCode(outcome, 0);
    expect(outcome.stderr).toContain('nothing to do: a does not exist (lab create clusters a)');
  }
});
