import { rmSync } from 'node:fs';
import { EnvironmentError, EXIT } from '../errors.ts';
import { acquireLock } from '../exec/lock.ts';
import { identifySelf } from '../exec/process-identity.ts';
import { releaseReservations, reserve } from '../exec/reservations.ts';
import { engineState } from '../exec/state-directory.ts';
import { clustersToMake } from '../plan/summary.ts';
import { describeClusters, formatClusters } from '../report/cluster-info.ts';
import { describeFailures, executePlan, type Work, withLab } from './execute-plan.ts';
import { type Io, note, print } from './io.ts';
import { type CreateFlags, explain, type Planned, planNow } from './plan-now.ts';
import { isData, printData } from './print-plan.ts';
import type { Session } from './session.ts';

/**
 * Carries out what `create` planned. `first` was planned without a lock: unless it changes nothing, all is planned
 * anew under the locks.
 */
export function createClusters(first: Planned, session: Session, flags: CreateFlags, io: Io): Promise<number> {
  const { engine } = first.observed;
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
        ? `\nnext: kubectl --context ${infos[0]?.contexts[0]} get nodes`
        : '\nnothing to do: everything is as declared',
    );
  }
  return EXIT.done;
}
