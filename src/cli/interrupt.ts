import { EXIT } from '../errors.ts';
import type { ProcessRunner } from '../exec/run-command.ts';
import { type Io, note } from './io.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Whether a plan is being carried out, which ends in order. */
let inOrder = false;

/** Outside of a plan an interrupt leaves at once, and ends what reads: children in groups of their own would live on. */
export function leaveOnInterrupt(runner: ProcessRunner): void {
  for (const signal of SIGNALS)
    process.on(signal, () => {
      if (inOrder) return;
      runner.kill();
      process.exit(EXIT.interrupted);
    });
}

/**
 * Two-stage interrupts: the first lets running commands end, the second kills them and leaves. SIGTERM and SIGHUP
 * are as the first. Returns what takes the handlers away again.
 */
export function onInterrupt(io: Io, stages: { readonly first: () => void; readonly second: () => void }): () => void {
  let count = 0;
  const handle = () => {
    count += 1;
    if (count === 1) {
      note(io, '\nstopping: running commands are asked to end; once more kills them');
      stages.first();
      return;
    }
    stages.second();
    // The cursor is hidden while rows are drawn.
    if (io.stderr.isTTY) io.stderr.write('\u001b[?25h');
    process.exit(EXIT.interrupted);
  };
  inOrder = true;
  for (const signal of SIGNALS) process.on(signal, handle);
  return () => {
    inOrder = false;
    for (const signal of SIGNALS) process.off(signal, handle);
  };
}
