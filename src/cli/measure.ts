import { createRunner } from '../exec/run-command.ts';
import type { Lookup, Probe } from '../lab/reach.ts';
import { type Measured, measure } from '../observe/probes.ts';
import { holdInterrupts } from './interrupt.ts';

/** Sends what there is to send; undefined when a person stopped it. What notes arrivals on the nodes is ended even then. */
export async function measureUnlessStopped(
  questions: readonly { readonly probe?: Probe; readonly lookup?: Lookup }[],
): Promise<Measured | undefined> {
  const [asking, noting] = [createRunner(), createRunner()];
  let stopped = false;
  const release = holdInterrupts(() => {
    stopped = true;
    asking.kill();
  });
  try {
    const probes = questions.flatMap(({ probe }) => probe ?? []);
    const lookups = questions.flatMap(({ lookup }) => lookup ?? []);
    const measured = await measure({ asking, noting }, probes, lookups);
    return stopped ? undefined : measured;
  } finally {
    release();
  }
}
