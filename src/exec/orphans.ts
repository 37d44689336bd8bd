import { setTimeout as sleep } from 'node:timers/promises';
import type { JournalState, UnfinishedRun } from './journal.ts';
import { signalGroup } from './process-group.ts';
import { isAlive, type ProcessIdentity, runsHere } from './process-identity.ts';

const GRACE_MS = 10_000;
const POLL_MS = 50;

/** A process that outlived the run that started it. */
export interface Orphan {
  readonly step: string;
  readonly identity: ProcessIdentity;
}

/** Runs that died before they could say their end. */
export const findDeadRuns = ({ unfinished }: JournalState): UnfinishedRun[] =>
  unfinished.filter(({ identity }) => !isAlive(identity));

/** Children that still run although the run that started them is dead. */
export function findOrphans(state: JournalState): Orphan[] {
  return findDeadRuns(state)
    .flatMap((run) => run.started)
    .flatMap(({ step, identity }) => (identity && runsHere(identity) ? [{ step, identity }] : []));
}

/** Ends an orphan and its group: SIGTERM, and SIGKILL ten seconds later. Resolves when it is gone, also when it was before. */
export async function endOrphan(identity: ProcessIdentity): Promise<void> {
  if (!runsHere(identity)) return;
  signalGroup(identity.pid, 'SIGTERM');
  const deadline = performance.now() + GRACE_MS;
  while (runsHere(identity) && performance.now() < deadline) await sleep(POLL_MS);
  // The group may hold more than its leader.
  signalGroup(identity.pid, 'SIGKILL');
  while (runsHere(identity)) await sleep(POLL_MS);
}
