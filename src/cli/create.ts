import { rmSync } from 'node:fs';
import { EnvironmentError, EXIT, InputError } from '../errors.ts';
import { acquireLock } from '../exec/lock.ts';
import { identifySelf } from '../exec/process-identity.ts';
import { releaseReservations, reserve } from '../exec/reservations.ts';
import { engineState } from '../exec/state-directory.ts';
import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { Change } from '../plan/change.ts';
import { diffForCreate } from '../plan/diff.ts';
import { planCreate } from '../plan/plan-create.ts';
import { type Preflight, preflight } from '../plan/preflight.ts';
import { resolve } from '../plan/resolve.ts';
import { clustersToMake } from '../plan/summary.ts';
import { describeClusters, formatClusters } from '../report/cluster-info.ts';
import type { Plan } from '../step/step.ts';
import type { Work } from './execute-plan.ts';
import { type Flags, type Io, note, print } from './io.ts';
import { isData, printData, printPlan } from './print-plan.ts';
import { openSession, type Session } from './session.ts';

export interface CreateFlags extends Flags {
  readonly dryrun: boolean;
  readonly recreate: readonly string[];
  readonly ignorePreflight: readonly string[];
}

interface Planned {
  readonly observed: Observed;
  readonly desired: Desired;
  readonly changes: readonly Change[];
  readonly plan: Plan;
  readonly checks: readonly Preflight[];
}

/** `lab create`: the network, clusters, contexts and pools that the specs ask for. */
export async function create(flags: CreateFlags, io: Io): Promise<number> {
  const session = await openSession(flags, io);
  for (const text of session.notes) note(io, text);
  if (flags.dryrun) {
    await showPlan(await planNow(session, flags), session, flags, io);
    return EXIT.done;
  }
  // A look without the lock: a machine that lacks something is told so before anything is written.
  const first = await planNow(session, flags);
  const { missing, engine } = first.observed;
  const work: Work = {
    ...(engine && { cpus: engine.cpus }),
    io,
    flags,
    verb: 'create',
    lab: session.lab.name,
    state: session.state,
    runner: session.runner,
    kubeconfig: session.kubeconfig.file,
  };
  if (missing.length > 0) {
    await showPlan(first, session, flags, io);
    throw new EnvironmentError(
      `nothing was created: ${missing.map(({ what }) => what).join('; ')}`,
      missing.map(({ hint }) => hint).join('\n'),
    );
  }
  const { withLab } = await import('./execute-plan.ts');
  return withLab(work, async () => {
    const settled = first.changes.length === 0 || !engine;
    const planned = settled ? first : await planAndReserve(session, flags, engine.id);
    try {
      return await carryOut(planned, session, work, flags);
    } finally {
      await giveBack(planned, session);
    }
  });
}

async function planNow(session: Session, flags: CreateFlags): Promise<Planned> {
  const { names } = session;
  const observed = await session.observe({ choose: true, count: !flags.dryrun });
  const desired = resolve(session.lab, observed);
  const unknown = flags.recreate.filter((name) => !names.includes(name));
  if (unknown.length > 0) {
    throw new InputError([
      {
        at: 'command line',
        message: `--recreate ${unknown.join(' ')}: not among the clusters to create (${names.join(', ')})`,
      },
    ]);
  }
  const changes = diffForCreate(desired, observed, { names, recreate: flags.recreate });
  return {
    observed,
    desired,
    changes,
    plan: planCreate(desired, observed, changes, names),
    checks: preflight(desired, observed, changes),
  };
}

/** Chooses ranges under the lock of the engine and reserves them there, so that no other lab takes the same. */
async function planAndReserve(session: Session, flags: CreateFlags, engineId: string): Promise<Planned> {
  const engine = engineState(session.stateRoot, engineId);
  await engine.prepare();
  const lock = await acquireLock(engine.lock, { name: 'the engine', verb: 'create', wait: 60 });
  try {
    const planned = await planNow(session, flags);
    const making = clustersToMake(planned.changes);
    const ranges = planned.desired.clusters
      .filter(({ name }) => making.includes(name))
      .flatMap(({ name, pods, services, loadBalancer }) => [
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
  await releaseReservations(engine.reservations, identifySelf());
  lock.release();
}

async function carryOut(planned: Planned, session: Session, work: Work, flags: CreateFlags): Promise<number> {
  const { io } = work;
  const { desired, plan, changes } = planned;
  for (const text of desired.warnings) note(io, `warning: ${text}`);
  const failed = planned.checks.filter(
    ({ result, name }) => result === 'failed' && !flags.ignorePreflight.includes(name),
  );
  if (failed.length > 0) {
    throw new EnvironmentError(
      `nothing was created: ${failed.map(({ detail }) => detail).join('; ')}`,
      [
        ...failed.flatMap(({ hint }) => hint ?? []),
        // An image that is not there cannot be loaded, whoever wants to go on.
        ...(failed.some(({ name }) => name === 'images')
          ? []
          : [`or go on all the same: --ignore-preflight ${failed.map(({ name }) => name).join(',')}`]),
      ].join('\n'),
    );
  }
  explain(changes, io);
  // kind merges into a kubeconfig that is there, and fails on one that a kill left half-written.
  for (const name of clustersToMake(changes)) rmSync(session.state.kubeconfig(name), { force: true });
  const { describeFailures, executePlan } = await import('./execute-plan.ts');
  const { reports, exitCode } =
    plan.steps.length > 0 ? await executePlan(plan, work) : { reports: [], exitCode: EXIT.done };
  if (exitCode !== EXIT.done) {
    if (isData(flags.output)) printData({ plan: plan.summary, steps: reports }, flags.output, io);
    note(io, describeFailures(plan, reports, flags.line));
    return exitCode;
  }
  const after = plan.steps.length > 0 ? await session.observe({ choose: false, count: false }) : planned.observed;
  const infos = describeClusters(desired, after, session.names);
  if (isData(flags.output)) printData({ plan: plan.summary, steps: reports, clusters: infos }, flags.output, io);
  else if (flags.output === 'name') print(io, infos.map(({ name }) => `cluster/${name}`).join('\n'));
  else {
    print(io, formatClusters(infos, flags.output === 'wide'));
    note(
      io,
      plan.steps.length > 0
        ? `\nnext: kubectl --context ${session.names[0]} get nodes`
        : '\nnothing to do: everything is as declared',
    );
  }
  return EXIT.done;
}

/** What a person may not expect is said before it happens. */
function explain(changes: readonly Change[], io: Io): void {
  for (const change of changes) {
    if (change.kind === 'cluster' && change.action !== 'create') note(io, `${change.cluster}: ${change.why}`);
  }
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
  await printPlan(plan, flags, io);
}
