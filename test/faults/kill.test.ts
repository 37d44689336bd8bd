/** `kill -9` after every single line of the journal, and once more: as if nothing had happened. */
import { describe, expect, it } from 'vitest';
import { readJournal } from '../../src/exec/journal.ts';
import { expectCode, makeWorld, specs, type World } from '../cli/machine.ts';
import { endState, journalOf, stateOfLab } from './end-state.ts';

/** Ranges are pinned: other networks of the host may come and go meanwhile. */
const LAB = specs(
  { a: '{group: g}', b: '{group: g}', c: '{group: g}' },
  '{loadBalancer: {addon: none}, network: {subnets: [172.30.240.0/20, "fd00:30:240::/64"]}}',
);

/** Clusters, contexts and routes, as one graph. */
const VERBS = [['up']] as const;

/** Machines at the same time. */
const WORKERS = 3;

/** For `node`: dies once this many lines of the journal are on the disk. */
const killAfter = (lines: number): string[] => {
  const code = `import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const { openSync, closeSync, fsyncSync } = fs;
    let journal;
    let left = ${lines};
    fs.openSync = (path, ...more) => {
      const file = openSync(path, ...more);
      if (String(path).endsWith('journal.jsonl') && more.length > 1) journal = file;
      return file;
    };
    fs.closeSync = (file) => {
      if (file === journal) journal = undefined;
      closeSync(file);
    };
    fs.fsyncSync = (file) => {
      fsyncSync(file);
      if (file === journal && --left === 0) process.kill(process.pid, 'SIGKILL');
    };
    syncBuiltinESMExports();`;
  return ['--import', `data:text/javascript,${encodeURIComponent(code)}`];
};

async function prepare(before: readonly (readonly string[])[]): Promise<World> {
  const world = await makeWorld(LAB);
  for (const args of before) expectCode(await world.lab(...args, '--jobs', '1'), 0);
  return world;
}

/**
 * What was ready is not made again. What was half-made cannot be made twice unnoticed either: kind and docker, and
 * their stubs, refuse a name that is there, and the run would not end well.
 */
function expectNothingTwice(world: World, ready: ReadonlySet<string>, callsBefore: number): void {
  const again = world.calls().slice(callsBefore);
  for (const name of ready)
    expect(again.filter(({ key }) => key.startsWith('kind:') && key.endsWith(`:${name}`))).toEqual([]);
}

describe.each(VERBS.map((args, index) => ({ args, before: VERBS.slice(0, index) })))(
  'lab $args',
  ({ args, before }) => {
    it('killed after any line of its journal, ends in the same state when it is run again', {
      timeout: 600_000,
    }, async () => {
      const untouched = await prepare([...before, args]);
      const expected = endState(untouched);

      let next = 1;
      let last = Number.POSITIVE_INFINITY;
      const killAt = async (line: number): Promise<void> => {
        const world = await prepare(before);
        const earlier = before.length > 0 ? journalOf(world).length : 0;
        const { code } = await world.start(args, {}, killAfter(line)).done;
        if (code === 0) {
          last = Math.min(last, line);
          return world.close();
        }
        expect(code, `line ${line}`).toBeNull();
        const journal = journalOf(world);
        expect(journal).toHaveLength(earlier + line);
        const ready = new Set(
          journal.flatMap(({ step, result }) =>
            step?.endsWith('/record') && result === 'done' ? [step.split('/')[0] ?? ''] : [],
          ),
        );
        const callsBefore = world.calls().length;
        const again = await world.lab(...args);
        expect(again.code, `killed after line ${line}\n${again.stderr}`).toBe(0);
        expect(endState(world), `killed after line ${line}`).toEqual(expected);
        expectNothingTwice(world, ready, callsBefore);
        expect(readJournal(`${stateOfLab(world)}/journal.jsonl`).unfinished).toEqual([]);
        await world.close();
      };
      await Promise.all(
        Array.from({ length: WORKERS }, async () => {
          while (next < last) await killAt(next++);
        }),
      );
      expect(last, 'the first run that was not killed').toBe(linesOf(untouched, args[0]) + 1);
    });
  },
);

/** How many lines the last run, of this verb, wrote. */
function linesOf(world: World, verb: string): number {
  const journal = journalOf(world);
  return journal.length - journal.findLastIndex((line) => line.type === 'begin' && line.verb === verb);
}
