import { EnvironmentError, EXIT, FailedError } from '../errors.ts';
import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import { resolve } from '../plan/resolve.ts';
import type { Plan } from '../step/step.ts';
import { describeFailures, executePlan, withLab, workOf } from './execute-plan.ts';
import { type Flags, type Io, note } from './io.ts';
import { isData, printData, printPlan } from './print-plan.ts';
import { openSession, type Session } from './session.ts';

export interface ChangeFlags extends Flags {
  readonly dryrun: boolean;
}

/** One round of a verb: what it plans from what is seen when its turn comes. */
export interface Round {
  readonly plan: (desired: Desired, observed: Observed, names: readonly string[]) => Plan;
  /** Whether it looks at routes and rules, which costs a process a node. */
  readonly readsRouting: boolean;
  /** Seconds in which it is repeated while it had to wait for a cluster: what that one lacks shows only then. */
  readonly patience?: number;
  /** Whether it looks at Linkerd and its links. */
  readonly readsMesh?: boolean;
  /** Whether it looks at apps. */
  readonly readsApps?: boolean;
}

/**
 * A verb that looks, plans and acts, once a round: a later round sees what the earlier ones made. A dry run shows
 * the first round, which is all that can be known before it ran.
 */
export async function changeLab(verb: string, rounds: readonly Round[], flags: ChangeFlags, io: Io): Promise<number> {
  const session = await openSession(flags, io);
  for (const text of session.notes) note(io, text);
  const look = async ({ readsRouting, readsMesh = false, readsApps = false }: Round) => {
    const routing = readsRouting ? session.lab.clusters.map(({ name }) => name) : [];
    const observed = await session.observe({ choose: false, count: false, routing, mesh: readsMesh, apps: readsApps });
    if (!observed.engine)
      throw new EnvironmentError(`nothing was changed: ${observed.missing[0]?.what}`, observed.missing[0]?.hint);
    const desired = resolve(session.lab, observed);
    const certificates =
      readsMesh && desired.certificates ? await session.observeCertificates(desired.certificates) : undefined;
    return { observed: { ...observed, ...(certificates && { certificates }) }, desired };
  };
  let missing: readonly string[] = [];
  const planRound = async (round: Round) => {
    const { observed, desired } = await look(round);
    const plan = round.plan(desired, observed, session.names);
    for (const text of plan.warnings) note(io, `warning: ${text}`);
    const seen = observed.clusters.map(({ name }) => name);
    missing = session.names.filter((name) => !seen.includes(name));
    return plan;
  };
  if (flags.dryrun) {
    await printPlan(await planRound(rounds[0] as Round), session.lab.path, flags, io);
    return EXIT.done;
  }
  const work = workOf(session, verb, flags, io);
  return withLab(work, async () => {
    const done: { plan: string; steps: unknown }[] = [];
    const left = [...rounds];
    const began = performance.now();
    let unsettled: Plan | undefined;
    for (let round = left.shift(); round; round = left.shift()) {
      const plan = await planRound(round);
      if (plan.steps.length === 0) continue;
      const next = roundAfter(round, plan, (performance.now() - began) / 1000);
      unsettled = next === 'no more' ? plan : undefined;
      if (typeof next === 'object') left.unshift(next);
      const { reports, exitCode } = await executePlan(plan, work);
      done.push({ plan: plan.summary, steps: reports });
      if (exitCode === EXIT.done) continue;
      printResults(done, flags, io);
      note(io, describeFailures(plan, reports, flags.line));
      return exitCode;
    }
    if (unsettled) throw neverSettled(unsettled, flags.line);
    printResults(done, flags, io);
    if (!isData(flags.output)) note(io, describeEnd(verb, done, session, missing));
    return EXIT.done;
  });
}

function printResults(done: readonly unknown[], { output }: Flags, io: Io): void {
  if (isData(output)) printData(done, output, io);
}

/** @param missing clusters that are meant and do not exist */
function describeEnd(verb: string, done: readonly unknown[], { lab }: Session, missing: readonly string[]): string {
  if (done.length > 0) return `lab ${verb}: done`;
  if (missing.length === 0) return 'nothing to do: everything is as it should be';
  const what = `${missing.join(', ')} ${missing.length === 1 ? 'does' : 'do'} not exist`;
  return `nothing to do: ${what} (lab create ${lab.dir}${missing.length === lab.clusters.length ? '' : ` ${missing.join(' ')}`})`;
}

/** The same round once more, where the plan had to wait for a cluster; `no more` when it was the last. */
export function roundAfter(round: Round, { steps }: Plan, seconds: number): Round | 'no more' | undefined {
  if (round.patience === undefined || !steps.some(({ kind }) => kind === 'wait')) return undefined;
  return seconds < round.patience ? round : 'no more';
}

/** After the last round there is no look at what a cluster lacks that had to be waited for in it. */
export function neverSettled({ steps }: Plan, again: string): FailedError {
  const waited = [...new Set(steps.flatMap((step) => (step.kind === 'wait' ? step.clusters : [])))].join(', ');
  return new FailedError(
    `gave up: ${waited} had to be waited for in every round, so what is missing beyond that is not known`,
    `it answers now; once the machine is less busy: ${again}`,
  );
}
