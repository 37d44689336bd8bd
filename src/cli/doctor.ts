import { EXIT } from '../errors.ts';
import { diffForCreate } from '../plan/diff.ts';
import { engineAndTools, preflight } from '../plan/preflight.ts';
import { resolve } from '../plan/resolve.ts';
import { PROVIDERS } from '../providers/index.ts';
import { formatTable } from '../report/table.ts';
import { type Flags, type Io, note, print } from './io.ts';
import { openSession } from './session.ts';

/** `lab doctor`: what a create of these clusters would count before it starts, each with the line to type. */
export async function doctor(flags: Flags, io: Io): Promise<number> {
  const session = await openSession(flags, io);
  const observed = await session.observe({ choose: true, count: true });
  const names = session.lab.clusters
    .filter(({ provider, name }) => PROVIDERS[provider].make && session.names.includes(name))
    .map(({ name }) => name);
  const desired = observed.engine ? resolve(session.lab, observed) : undefined;
  const checks = desired
    ? preflight(desired, observed, diffForCreate(desired, observed, { names, recreate: [] }))
    : engineAndTools(observed);
  if (flags.output === 'json') print(io, JSON.stringify(checks, undefined, 2));
  else {
    print(
      io,
      formatTable(
        ['CHECK', 'RESULT', 'DETAIL'],
        checks.map(({ name, result, detail }) => [name, result, detail]),
      ),
    );
    for (const { hint, detail } of checks.filter(({ result }) => result !== 'ok'))
      note(io, `\n${detail}\n  ${hint ?? ''}`);
  }
  return checks.some(({ result }) => result === 'failed') ? EXIT.environment : EXIT.done;
}
