import { EnvironmentError, EXIT } from '../errors.ts';
import { describeClusters, formatClusters } from '../report/cluster-info.ts';
import { type Io, note, print } from './io.ts';
import { type CreateFlags, explain, nothingDone, type Planned, planNow } from './plan-now.ts';
import { printPlan } from './print-plan.ts';
import { openSession, type Session } from './session.ts';

/** `lab create`: the network, clusters, contexts and pools that the specs ask for; `lab up`: all that they ask for. */
export async function create(flags: CreateFlags, io: Io): Promise<number> {
  const session = await openSession(flags, io);
  for (const text of session.notes) note(io, text);
  if (flags.dryrun) {
    await showPlan(await planNow(session, flags), session, flags, io);
    return EXIT.done;
  }
  // A look without the lock: a machine that lacks something is told so before anything is written.
  const first = await planNow(session, flags);
  const { missing } = first.observed;
  if (missing.length > 0) {
    await showPlan(first, session, flags, io);
    throw new EnvironmentError(
      `${nothingDone(flags)}: ${missing.map(({ what }) => what).join('; ')}`,
      [...new Set(missing.map(({ hint }) => hint))].join('\n'),
    );
  }
  // Locks, journal and progress are loaded only by what changes something.
  const { createClusters } = await import('./create-clusters.ts');
  return createClusters(first, session, flags, io);
}

async function showPlan(
  { plan, desired, observed, changes }: Planned,
  session: Session,
  flags: CreateFlags,
  io: Io,
): Promise<void> {
  for (const text of plan.warnings) note(io, `warning: ${text}`);
  explain(changes, io);
  if (flags.output === 'text' || flags.output === 'wide') {
    const infos = describeClusters(desired, observed, session.names);
    const network = desired.network.subnets.map(({ range }) => range).join(', ');
    print(io, `lab ${desired.lab.name} on Docker network ${desired.network.name} (${network})\n\n`);
    print(io, `${formatClusters(infos, false)}\n\n`);
  }
  await printPlan(plan, session.lab.path, flags, io);
}
