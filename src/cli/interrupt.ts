import { EXIT } from '../errors.ts';
import type { ProcessRunner } from '../exec/run-command.ts';
import type { Io } from './io.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How many things are under way that end in order. */
let holders = 0;

/** Outside of a plan an interrupt leaves at once, and ends what reads: children in groups of their own would live on. */
export function leaveOnInterrupt(runner: ProcessRunner): void {
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (holders > 0) return;
      runner.kill();
      process.exit(EXIT.interrupted);
    });
}

/** From now on an interrupt only calls `handle`, and what holds it ends by itself. Returns what lets go. */
export function holdInterrupts(handle: () => void): () => void {
  holders += 1;
  for (const signal of SIGNALS) process.on(signal, handle);
  return () => {
    holders -= 1;
    for (const signal of SIGNALS) process.off(signal, handle);
  };
}

/**
 * Two-stage interrupts: the first lets running commands end, the second kills them and leaves. SIGTERM and SIGHUP
 * are as the first. Returns what takes the handlers away again.
 */
export function onInterrupt(io: Io, stages: { readonly first: () => void; readonly second: () => void }): () => void {
  let count = 0;
  return holdInterrupts(() => {
    count += 1;
    if (count === 1) {
      stages.first();
      return;
    }
    stages.second();
    // The cursor is hidden while rows are drawn.
    if (io.stderr.isTTY) io.stderr.write('\u001b[?25h');
    process.exit(EXIT.interrupted);
  });
}
