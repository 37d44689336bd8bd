import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '../errors.ts';
import { openJournal, readJournal } from '../exec/journal.ts';
import { acquireLock } from '../exec/lock.ts';
import { endOrphan, findDeadRuns, findOrphans } from '../exec/orphans.ts';
import { createPerformer } from '../exec/perform-step.ts';
import { identify, identifySelf } from '../exec/process-identity.ts';
import { createProgress } from '../exec/progress.ts';
import type { ProcessRunner } from '../exec/run-command.ts';
import { runSteps, type StepReport } from '../exec/scheduler.ts';
import type { LabState } from '../exec/state-directory.ts';
import { formatCount } from '../lab/format-count.ts';
import { withTimeout } from '../plan/with-timeout.ts';
import { summariseRun } from '../report/run-summary.ts';
import type { Secrets } from '../spec/clusters.ts';
import type { Plan, Step } from '../step/step.ts';
import { onInterrupt } from './interrupt.ts';
import { type Flags, type Io, note } from './io.ts';
import type { Session } from './session.ts';

export interface Work {
  readonly io: Io;
  readonly flags: Flags;
  readonly verb: string;
  readonly lab: string;
  readonly state: LabState;
  readonly runner: ProcessRunner;
  /** What the specs give to the variables of meshes. */
  readonly secrets?: Secrets;
  readonly kubeconfig: string;
  /** CPUs of the engine: in a VM they are fewer than this machine's. */
  readonly cpus?: number;
}

/** What a verb that opened a lab works with. */
export const workOf = (session: Session, verb: string, flags: Flags, io: Io): Work => ({
  io,
  flags,
  verb,
  lab: session.lab.name,
  state: session.state,
  runner: session.runner,
  secrets: session.secrets,
  kubeconfig: session.kubeconfig.file,
});

/**
 * Runs `action` as the only writer of a lab: takes its lock, and first ends what a killed run left running, so that
 * a half-made cluster is not made twice at once.
 * @throws LockedError when another run holds the lock
 */
export async function withLab<T>(work: Work, action: () => Promise<T>): Promise<T> {
  const { io, flags, verb, state } = work;
  await state.prepare();
  const lock = await acquireLock(state.lock, {
    name: `lab ${work.lab}`,
    verb,
    ...(flags.wait !== undefined && { wait: flags.wait }),
    onWait: (message) => note(io, message),
    onTakeOver: (message) => note(io, message),
  });
  try {
    await takeOver(work);
    removeStaleLocks(join(state.dir, 'kubeconfigs'));
    return await action();
  } finally {
    lock.release();
  }
}

/** Ends what dead runs left running, and closes them in the journal: from here on, this run answers for the rest. */
async function takeOver({ io, state }: Work): Promise<void> {
  const found = readJournal(state.journal);
  for (const orphan of findOrphans(found)) {
    note(io, `ending what an interrupted run left behind: ${orphan.step} (pid ${orphan.identity.pid})`);
    await endOrphan(orphan.identity);
  }
  const dead = findDeadRuns(found);
  if (dead.length === 0) return;
  const journal = await openJournal(state.journal);
  for (const { run } of dead) journal.end({ run, result: 'killed' });
  journal.close();
}

/** kind locks a kubeconfig by the existence of a file, for ever when it is killed; nobody else writes in here. */
function removeStaleLocks(folder: string): void {
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.lock')))
    rmSync(join(folder, name), { force: true });
}

const hashOf = (value: Plan | Step): string => createHash('sha256').update(JSON.stringify(value)).digest('hex');

/** Does the steps of a plan, shows them, and returns the reports with the exit code. The caller holds the lab. */
export async function executePlan(planned: Plan, work: Work): Promise<{ reports: StepReport[]; exitCode: number }> {
  const { io, state, runner, flags } = work;
  const plan = withTimeout(planned, flags.timeout);
  const journal = await openJournal(state.journal);
  const run = randomUUID();
  const said: string[] = [];
  const stop = new AbortController();
  const halt = () => {
    stop.abort();
    runner.interrupt();
  };
  let interrupted = false;
  const progress = await createProgress(plan, io.stderr);
  const restore = onInterrupt(io, {
    first: () => {
      interrupted = true;
      progress.stopping();
      halt();
    },
    second: () => runner.kill(),
  });
  try {
    journal.begin({ run, verb: plan.verb, identity: identifySelf(), plan: hashOf(plan) });
    const reports = await runSteps(plan.steps, {
      jobs: flags.jobs ?? Math.min(availableParallelism(), work.cpus ?? Number.POSITIVE_INFINITY),
      signal: stop.signal,
      perform: createPerformer({
        runner,
        stateDir: state.dir,
        kubeconfig: work.kubeconfig,
        ...(work.secrets && { secrets: work.secrets }),
        signal: stop.signal,
        onWarning: (step, warnings) => {
          for (const text of warnings) said.push(`${step.clusters.join(', ')}: ${text}`);
        },
        onProcess: (step, argv0, pid) =>
          journal.started({ run, step: step.id, input: hashOf(step), argv0, pid, identity: identify(pid) }),
      }),
      onStart: (step) => {
        if (!startsProcesses(step)) journal.started({ run, step: step.id, input: hashOf(step) });
        progress.start(step);
      },
      onEnd: (step, report) => {
        journal.finished({ run, step: step.id, result: report.result });
        progress.end(step, report);
        if (report.result === 'failed' && flags.failFast) halt();
      },
    });
    await progress.close();
    for (const text of said) note(io, `warning: ${text}`);
    const exitCode = interrupted
      ? EXIT.interrupted
      : reports.some(({ result }) => result === 'failed')
        ? EXIT.failed
        : EXIT.done;
    journal.end({ run, result: String(exitCode) });
    return { reports, exitCode };
  } catch (error) {
    // A journal that cannot be written ends the run: nothing may go on behind the lock.
    runner.kill();
    await runner.idle();
    // It draws until it is closed.
    await progress.close();
    throw error;
  } finally {
    restore();
    journal.close();
  }
}

/** Such a step is in the journal with each process, not before: until then nothing has happened. */
const startsProcesses = ({ kind }: Step): boolean => kind === 'run' || kind === 'query' || kind === 'check';

const PULL_HINT =
  'where it cannot be had, name an image that can: spec.kubernetes.image, or for every cluster spec.defaults in lab.yaml or in the file of LAB_DEFAULTS';

const WORKLOAD_PULL_HINT =
  'nothing of it was made. Where the image cannot be had, build or load it on this engine (docker build, docker load), or name another one there';

const hintsOf = (id: string): string[] => {
  if (id.startsWith('pull/')) return [PULL_HINT];
  return /^workload\/[^/]+\/pull/.test(id) ? [WORKLOAD_PULL_HINT] : [];
};

/** Every failure with its cluster and command, how each cluster fared, and what to type next. */
export function describeFailures(plan: Plan, reports: readonly StepReport[], again: string): string {
  const failed = reports.filter(({ result }) => result === 'failed');
  const blocks = failed.map(({ id, detail }) => {
    const step = plan.steps.find((one) => one.id === id);
    const lines = [detail ?? '', ...hintsOf(id)].join('\n');
    return `${step?.clusters.join(', ') || 'lab'}: could not ${step?.title}\n  ${lines.replaceAll('\n', '\n  ')}`;
  });
  const left = reports.filter(({ result }) => result === 'blocked' || result === 'cancelled').length;
  const rest =
    left > 0 ? `${left} of ${formatCount(reports.length, 'step')} ${left === 1 ? 'was' : 'were'} not done. ` : '';
  const table = reports.length > 0 ? [`\n${summariseRun(plan, reports)}\n`] : [];
  return [...blocks, ...table, `${rest}What is done stays; the rest is made by: ${again}`].join('\n');
}
