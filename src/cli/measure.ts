import { createRunner } from '../exec/run-command.ts';
import type { Lookup, Probe } from '../lab/reach.ts';
import { type Measured, measure } from '../observe/probes.ts';
import { onInterrupt } from './interrupt.ts';
import type { Io } from './io.ts';

/** Asks all that has a probe or a lookup; undefined when a person stopped it. */
export async function measureUnlessStopped(
  io: Io,
  questions: readonly { readonly probe?: Probe; readonly lookup?: Lookup }[],
): Promise<Measured | undefined> {
  const runner = createRunner();
  let stopped = false;
  const restore = onInterrupt(io, {
    first: () => {
      stopped = true;
      runner.kill();
    },
    second: () => {},
  });
  try {
    const probes = questions.flatMap(({ probe }) => (probe ? [probe] : []));
    const lookups = questions.flatMap(({ lookup }) => (lookup ? [lookup] : []));
    const measured = await measure(runner, probes, lookups);
    return stopped ? undefined : measured;
  } finally {
    restore();
  }
}
