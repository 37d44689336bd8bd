import { EnvironmentError, EXIT } from '../errors.ts';
import { readJournal } from '../exec/journal.ts';
import { describeHolder } from '../exec/lock.ts';
import { isAlive } from '../exec/process-identity.ts';
import { resolve } from '../plan/resolve.ts';
import { type StatusRow, statusRows } from '../plan/status.ts';
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
  for (const text of advise(rows, session)) note(io, `\n${text}`);
  return drifted.length > 0 && flags.exitCode ? EXIT.drift : EXIT.done;
}

const ROUTING: readonly string[] = ['routes', 'exemptions'];
const LATER: readonly string[] = ['certs', 'linkerd', 'links', 'apps'];

/** What to type, for each kind of difference. */
function advise(rows: readonly StatusRow[], { lab, names }: Session): string[] {
  const drifted = rows.filter(({ result }) => result !== 'ok');
  const isThere = (...things: readonly string[]) => drifted.some(({ thing }) => things.includes(thing));
  const dir = [lab.dir, ...(names.length === lab.clusters.length ? [] : names)].join(' ');
  const routing = rows.filter(({ thing, want }) => ROUTING.includes(thing) && want !== '0');
  const unrouted = routing.length > 0 && routing.every(({ have }) => have === '0');
  const settled = drifted.filter(({ thing }) => !LATER.includes(thing) && !(unrouted && ROUTING.includes(thing)));
  const group = lab.clusters.some(({ mesh }) => mesh.name !== 'none') ? `, or with links lab group ${dir}` : '';
  return [
    ...(settled.length > 0
      ? [`to put it right: lab create ${dir} (what is missing), lab repair ${dir} (what a restart lost)`]
      : []),
    // A restart of all nodes leaves the same.
    ...(unrouted
      ? [`nothing is routed: lab route ${dir}${group}; after a restart of all nodes lab repair ${dir}`]
      : []),
    ...(isThere('certs') ? [`what is to be done about certificates: lab certs ${dir}`] : []),
    ...(isThere('linkerd', 'links') ? [`to put the mesh right: lab linkerd ${dir}, lab link ${dir}`] : []),
    ...(isThere('apps') ? [`to put the apps right: lab apps ${dir}`] : []),
  ];
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
