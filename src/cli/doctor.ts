import { EXIT, InputError } from '../errors.ts';
import type { Observed } from '../lab/observed.ts';
import { diffForCreate } from '../plan/diff.ts';
import { engineAndTools, type Preflight, preflight } from '../plan/preflight.ts';
import { resolve } from '../plan/resolve.ts';
import { formatTable } from '../report/table.ts';
import { bundlePath, writeBundle } from './bundle.ts';
import { type Flags, type Io, note, print } from './io.ts';
import { isData, printData } from './print-plan.ts';
import { openSession, type Session } from './session.ts';

/** `lab doctor`: what a create of these clusters would count before it starts, each with the line to type. */
export async function doctor(flags: Flags & { readonly bundle: string | undefined }, io: Io): Promise<number> {
  const session = await openSession(flags, io);
  const bundle = flags.bundle === undefined ? undefined : bundlePath(io.cwd, flags.bundle);
  const routing = bundle === undefined ? {} : { routing: session.names };
  const observed = await session.observe({ choose: true, count: true, ...routing });
  const checks = observed.engine ? countChecks(session, observed) : engineAndTools(observed);
  if (isData(flags.output)) printData(checks, flags.output, io);
  else {
    print(
      io,
      formatTable(
        ['CHECK', 'RESULT', 'DETAIL'],
        checks.map(({ name, result, detail }) => [name, result, detail]),
      ),
    );
    for (const { hint, detail } of checks) if (hint) note(io, `\n${detail}\n  ${hint.replaceAll('\n', '\n  ')}`);
  }
  if (bundle !== undefined) {
    await writeBundle(bundle, session, observed, checks);
    note(io, `\nwrote ${bundle}: versions, checks, plan, what was observed, journal; look at it before you pass it on`);
  }
  return checks.some(({ result }) => result === 'failed') ? EXIT.environment : EXIT.done;
}

interface SpecCheck {
  readonly name: 'specs';
  readonly result: 'failed';
  readonly detail: string;
  readonly hint?: string;
}

/** The checks of a create; what stands in its way before anything can be counted is a failed check, too. */
function countChecks({ lab, names }: Session, observed: Observed): (Preflight | SpecCheck)[] {
  try {
    const desired = resolve(lab, observed);
    return preflight(desired, observed, diffForCreate(desired, observed, { names, recreate: [] }));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const problems = error.problems.map(
      ({ at, message, hint }): SpecCheck => ({
        name: 'specs',
        result: 'failed',
        detail: `${at}: ${message}`,
        ...(hint && { hint }),
      }),
    );
    return [...engineAndTools(observed), ...problems];
  }
}
