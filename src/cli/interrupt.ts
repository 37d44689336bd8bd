import { EXIT } from '../errors.ts';
import { type Io, note } from './io.ts';

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
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, handle);
  return () => {
    for (const signal of signals) process.off(signal, handle);
  };
}
