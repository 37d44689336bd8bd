import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scenes } from '../plan/arbitrary-lab.ts';
import { cluster, lab, observed } from '../plan/build-lab.ts';
import { type Command, expectPromises, type RandomRun, type Tally, VERBS } from './random-runs.ts';

/** Runs that broke a promise once, each shrunk to what matters. */
const CASES = join(import.meta.dirname, 'cases');

const command: fc.Arbitrary<Command> = fc.record({
  verb: fc.constantFrom(...VERBS),
  which: fc.nat(5),
  failing: fc.array(fc.nat(40), { maxLength: 3 }),
  killedAfter: fc.option(fc.integer({ min: 1, max: 20 }), { nil: null, freq: 3 }),
  jobs: fc.integer({ min: 1, max: 4 }),
  form: fc.nat(1),
});

/** Of the provider that the model knows. */
const isOfKind = ({ scene }: RandomRun): boolean =>
  scene.declared.clusters.every(({ provider }) => provider === 'kind');

const runs: fc.Arbitrary<RandomRun> = fc
  .record({ scene: scenes(6), commands: fc.array(command, { minLength: 1, maxLength: 6 }) })
  .filter(isOfKind);

/** A kept run, with what labs and worlds have had since. */
function complete({ scene: { declared, world }, commands }: RandomRun): RandomRun {
  const clusters = declared.clusters.map((one) => ({ ...cluster(one.name), ...one }));
  return { commands, scene: { declared: { ...lab([]), ...declared, clusters }, world: { ...observed(), ...world } } };
}

describe('whatever verbs run and whatever fails', () => {
  it.each(readdirSync(CASES))('%s, which failed once, does not', async (file) => {
    const run: RandomRun = JSON.parse(readFileSync(join(CASES, file), 'utf8'));
    await expectPromises(complete(run), { done: 0, failed: 0, settled: 0 });
  });

  it('ranges stay apart, only what is owned goes, and a create that ends well leaves nothing to do', async () => {
    const tally = await check(runs, 100);
    expect(tally.done).toBeGreaterThan(500);
    expect(tally.failed).toBeGreaterThan(50);
    expect(tally.settled).toBeGreaterThan(50);
  });

  it('a change of apps that fails is undone by the spec as it was', async () => {
    const whole = { which: 0, failing: [], killedAfter: null, jobs: 2 };
    const changes = fc.record({ scene: scenes(3), change: command }).map(
      ({ scene, change }): RandomRun => ({
        scene,
        commands: [
          { ...whole, verb: 'create' },
          { ...whole, verb: 'apps' },
          { ...change, verb: 'apps', form: 1 },
        ],
      }),
    );
    const tally = await check(changes.filter(isOfKind), 100);
    expect(tally.failed).toBeGreaterThan(5);
  });
});

/** A run that breaks a promise is kept, shrunk. */
async function check(runs: fc.Arbitrary<RandomRun>, numRuns: number): Promise<Tally> {
  const tally = { done: 0, failed: 0, settled: 0 };
  const details = await fc.check(
    fc.asyncProperty(runs, (run) => expectPromises(run, tally)),
    { numRuns },
  );
  if (details.failed && details.counterexample) {
    mkdirSync(CASES, { recursive: true });
    const file = join(CASES, `seed-${details.seed >>> 0}.json`);
    writeFileSync(file, `${JSON.stringify(details.counterexample[0], undefined, 2)}\n`);
    throw new Error(`kept as ${file}`, { cause: details.errorInstance });
  }
  return tally;
}
