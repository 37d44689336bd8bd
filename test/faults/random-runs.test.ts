import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scenes } from '../plan/arbitrary-lab.ts';
import { cluster, lab, observed } from '../plan/build-lab.ts';
import { type Command, expectPromises, type RandomRun, VERBS } from './random-runs.ts';

/** Runs that broke a promise once, each shrunk to what matters. */
const CASES = join(import.meta.dirname, 'cases');

const command: fc.Arbitrary<Command> = fc.record({
  verb: fc.constantFrom(...VERBS),
  which: fc.nat(5),
  failing: fc.array(fc.nat(40), { maxLength: 3 }),
  killedAfter: fc.option(fc.integer({ min: 1, max: 20 }), { nil: null, freq: 3 }),
  jobs: fc.integer({ min: 1, max: 4 }),
});

/** Of the provider that can be made. */
const runs: fc.Arbitrary<RandomRun> = fc
  .record({ scene: scenes(6), commands: fc.array(command, { minLength: 1, maxLength: 6 }) })
  .filter(({ scene }) => scene.declared.clusters.every(({ provider }) => provider === 'kind'));

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
    const tally = { done: 0, failed: 0, settled: 0 };
    const details = await fc.check(
      fc.asyncProperty(runs, (run) => expectPromises(run, tally)),
      { numRuns: 100 },
    );
    if (details.failed && details.counterexample) {
      mkdirSync(CASES, { recursive: true });
      const file = join(CASES, `seed-${details.seed >>> 0}.json`);
      writeFileSync(file, `${JSON.stringify(details.counterexample[0], undefined, 2)}\n`);
      throw new Error(`kept as ${file}`, { cause: details.errorInstance });
    }
    expect(tally.done).toBeGreaterThan(500);
    expect(tally.failed).toBeGreaterThan(50);
    expect(tally.settled).toBeGreaterThan(50);
  });
});
