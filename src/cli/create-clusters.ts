import { rmSync } from 'node:fs';
import { EnvironmentError, EXIT } from '../errors.ts';
import { acquireLock } from '../exec/lock.ts';
import { identifySelf } from '../exec/process-identity.ts';
import { releaseReservations, reserve } from '../exec/reservations.ts';
import type { StepReport } from '../exec/scheduler.ts';
import { engineState } from '../exec/state-directory.ts';
import { clustersToMake, leftForLater } from '../plan/summary.ts';
import { describeClusters, formatClusters } from '../report/cluster-info.ts';
import { describeFailures, executePlan, type Work, withLab, workOf } from './execute-plan.ts';
import { type Io, note, print } from './io.ts';
import { type CreateFlags, explain, nothingDone, type Planned, planNow } from './plan-now.ts';
import { isData, printData } from './print-plan.ts';
import type { Session } from './session.ts';

/**
 * Carries out what `create` or `up` planned. `first` was planned without a lock: unless it changes nothing, all is planned
 * anew under the locks.
 */
export function createClusters(first: Planned, session: Session, flags: CreateFlags, io: Io): Promise<number> {
  const { engine } = first.observed;
  const work: Work = { ...workOf(session, flags.verb, flags, io), ...(engine && { cpus: engine.cpus }) };
  return withLab(work, async () => {
    const settled = first.plan.steps.length === 0 || !engine;
    const planned = settled ? first : await planAndReserve(session, flags, engine.id);
    try {
      return await carryOut(planned, session, work, flags);
    } finally {
      // They free themselves when this process ends: it is no failure of what was made.
      await giveBack(planned, session).catch((error: Error) => note(io, `reservations stay a while: ${error.message}`));
    }
  });
}

/** Chooses ranges and ports under the lock of the engine and reserves them there, so that no other lab takes the same. */
async function planAndReserve(session: Session, flags: CreateFlags, engineId: string): Promise<Planned> {
  const engine = engineState(session.stateRoot, engineId);
  await engine.prepare();
  const lock = await acquireLock(engine.lock, { name: 'the engine', verb: 'create', wait: 60 });
  try {
    const planned = await planNow(session, flags);
    const making = clustersToMake(planned.changes);
    const ranges = planned.desired.clusters
      .filter(({ name }) => making.includes(name))
      .flatMap(({ name, pods, services, loadBalancer, apiPort: port }) => [
        ...(port === undefined ? [] : [{ port, use: `API server of ${name}` }]),
        ...pods.map(({ range }) => ({ cidr: range, use: `pods of ${name}` })),
        ...services.map(({ range }) => ({ cidr: range, use: `services of ${name}` })),
        ...loadBalancer.map(({ range }) => ({ cidr: range, use: `pool of ${name}` })),
      ]);
    // One that is there already shows itself, and another lab may choose its pools inside it.
    const network = planned.changes.some(({ kind }) => kind === 'network')
      ? planned.desired.network.subnets.map(({ range }) => ({
          cidr: range,
          use: `network ${planned.desired.network.name}`,
        }))
      : [];
    if (making.length > 0)
      await reserve(engine.reservations, identifySelf(), session.lab.uid, session.lab.name, [...ranges, ...network]);
    return planned;
  } finally {
    lock.release();
  }
}

async function giveBack({ observed, changes }: Planned, session: Session): Promise<void> {
  if (!observed.engine || clustersToMake(changes).length === 0) return;
  const engine = engineState(session.stateRoot, observed.engine.id);
  const lock = await acquireLock(engine.lock, { name: 'the engine', verb: 'create', wait: 60 });
  try {
    await releaseReservations(engine.reservations, identifySelf());
  } finally {
    lock.release();
  }
}

async function carryOut(first: Planned, session: Session, work: Work, flags: CreateFlags): Promise<number> {
  refuseFailed(first, flags);
  const steps: StepReport[] = [];
  let planned = first;
  let stopped = await carryOutRound(planned, session, work, steps);
  // What some clusters lack shows only once they answer: then `up` looks again, and no third time.
  if (stopped === undefined && flags.verb === 'up' && leftForLater(first.desired, first.changes).length > 0) {
    const again = await planNow(session, flags);
    // What was said is said.
    const warnings = again.plan.warnings.filter((text) => !first.plan.warnings.includes(text));
    planned = { ...again, plan: { ...again.plan, warnings } };
    stopped = await carryOutRound(planned, session, work, steps);
  }
  const done = { plan: first.plan.summary, steps };
  if (stopped) {
    if (isData(flags.output)) printData(done, flags.output, work.io);
    note(work.io, stopped.text);
    return stopped.exitCode;
  }
  await showResult(planned, session, flags, work.io, done);
  return EXIT.done;
}

/** Adds to `steps` what was done. @returns how it ended, when it did not end well */
async function carryOutRound(
  { plan, changes }: Planned,
  session: Session,
  work: Work,
  steps: StepReport[],
): Promise<{ readonly exitCode: number; readonly text: string } | undefined> {
  for (const text of plan.warnings) note(work.io, `warning: ${text}`);
  explain(changes, work.io);
  if (plan.steps.length === 0) return undefined;
  // kind merges into a kubeconfig that is there, and fails on one that a kill left half-written.
  for (const name of clustersToMake(changes)) rmSync(session.state.kubeconfig(name), { force: true });
  const { reports, exitCode } = await executePlan(plan, work);
  steps.push(...reports);
  return exitCode === EXIT.done ? undefined : { exitCode, text: describeFailures(plan, reports, work.flags.line) };
}

async function showResult(
  { desired, observed }: Planned,
  session: Session,
  { verb, output }: CreateFlags,
  io: Io,
  done: { readonly plan: string; readonly steps: readonly StepReport[] },
): Promise<void> {
  const changed = done.steps.length > 0;
  const seen = changed ? await session.observe({ choose: false, count: false, mesh: verb === 'up' }) : observed;
  const after = { ...seen, ...(observed.certificates && { certificates: observed.certificates }) };
  const infos = describeClusters(desired, after, session.names);
  if (isData(output)) printData({ ...done, clusters: infos }, output, io);
  else if (output === 'name') print(io, infos.map(({ name }) => `cluster/${name}`).join('\n'));
  else {
    print(io, formatClusters(infos, output === 'wide'));
    const next = `\nnext: kubectl --context ${infos[0]?.contexts[0]} get nodes`;
    note(io, changed ? next : '\nnothing to do: everything is as declared');
  }
}

/** @throws EnvironmentError for what would make a create fail half-way */
function refuseFailed({ checks }: Planned, flags: CreateFlags): void {
  const failed = checks.filter(({ result, name }) => result === 'failed' && !flags.ignorePreflight.includes(name));
  if (failed.length === 0) return;
  throw new EnvironmentError(
    `${nothingDone(flags)}: ${failed.map(({ detail }) => detail).join('; ')}`,
    [
      ...failed.flatMap(({ hint }) => hint ?? []),
      // An image that is not there cannot be loaded, whoever wants to go on.
      ...(failed.some(({ name }) => name === 'images')
        ? []
        : [`or go on all the same: --ignore-preflight ${failed.map(({ name }) => name).join(',')}`]),
    ].join('\n'),
  );
}
