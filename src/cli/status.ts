import { EnvironmentError, EXIT } from '../errors.ts';
import { readJournal } from '../exec/journal.ts';
import { describeHolder } from '../exec/lock.ts';
import { isAlive } from '../exec/process-identity.ts';
import { resolve } from '../plan/resolve.ts';
import { statusRows } from '../plan/status.ts';
import { formatTable } from '../report/table.ts';
import { type Flags, type Io, note, print } from './io.ts';
import { isData, printData } from './print-plan.ts';
import { openSession, type Session } from './session.ts';

/** `lab status`: what is against what should be, one row a thing; exit code 5 on drift where that is asked for. */
export async function status(flags: Flags & { readonly exitCode: boolean }, io: Io): Promise<number> {
  const session = await openSession(flags, io);
  const observed = await session.observe({
    choose: true,
    count: false,
    routing: session.names,
    mesh: true,
    apps: true,
  });
  if (!observed.engine)
    throw new EnvironmentError(`no status: ${observed.missing[0]?.what}`, observed.missing[0]?.hint);
  const desired = resolve(session.lab, observed);
  const certificates = desired.certificates && (await session.observeCertificates(desired.certificates));
  const rows = statusRows(desired, { ...observed, ...(certificates && { certificates }) }, session.names);
  if (isData(flags.output)) printData(rows, flags.output, io);
  else {
    print(
      io,
      formatTable(
        ['CLUSTER', 'THING', 'RESULT', 'HAVE', 'WANT'],
        rows.map(({ cluster, thing, result, have, want }) => [cluster, thing, result, have, want]),
      ),
    );
  }
  for (const text of describeRuns(session)) note(io, `\n${text}`);
  const drifted = rows.filter(({ result }) => result !== 'ok');
  const drift = drifted.length > 0;
  const all = session.names.length === session.lab.clusters.length;
  const dir = [session.lab.dir, ...(all ? [] : session.names)].join(' ');
  const later: readonly string[] = ['certs', 'linkerd', 'links', 'apps'];
  if (drifted.some(({ thing }) => !later.includes(thing)))
    note(io, `\nto put it right: lab create ${dir} (what is missing), lab repair ${dir} (what a restart lost)`);
  if (drifted.some(({ thing }) => thing === 'certs'))
    note(io, `\nwhat is to be done about certificates: lab certs ${dir}`);
  if (drifted.some(({ thing }) => thing === 'linkerd' || thing === 'links'))
    note(io, `\nto put the mesh right: lab linkerd ${dir}, lab link ${dir}`);
  if (drifted.some(({ thing }) => thing === 'apps')) note(io, `\nto put the apps right: lab apps ${dir}`);
  return drift && flags.exitCode ? EXIT.drift : EXIT.done;
}

/** Runs that did not say their end, and what each was at: they explain a difference, they do not make one. */
function describeRuns({ state, lab }: Session): string[] {
  return readJournal(state.journal).unfinished.map(({ identity, verb, at, started }) => {
    const steps = [...new Set(started.map(({ step }) => step))].join(', ') || 'nothing yet';
    const who = describeHolder({ identity, verb, since: at });
    return isAlive(identity)
      ? `at work (${who}): ${steps}`
      : `interrupted (${who}), in the middle of: ${steps}\n  go on from what is there: lab ${verb} ${lab.dir}`;
  });
}
