import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '../errors.ts';
import { openJournal, readJournal } from '../exec/journal.ts';
import { acquireLock } from '../exec/lock.ts';
import { endOrphan, findOrphans } from '../exec/orphans.ts';
import { createPerformer } from '../exec/perform-step.ts';
import { identify, identifySelf } from '../exec/process-identity.ts';
import { createProgress } from '../exec/progress.ts';
import type { ProcessRunner } from '../exec/run-command.ts';
import { runSteps, type StepReport } from '../exec/scheduler.ts';
import type { LabState } from '../exec/state-directory.ts';
import type { Secrets } from '../spec/clusters.ts';
import type { Plan } from '../step/step.ts';
import { onInterrupt } from './interrupt.ts';
import { type Flags, type Io, note } from './io.ts';

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
  });
  try {
    for (const orphan of findOrphans(readJournal(state.journal))) {
      note(io, `ending what an interrupted run left behind: ${orphan.step} (pid ${orphan.identity.pid})`);
      await endOrphan(orphan.identity);
    }
    removeStaleLocks(join(state.dir, 'kubeconfigs'));
    return await action();
  } finally {
    lock.release();
  }
}

/** kind locks a kubeconfig by the existence of a file, for ever when it is killed; nobody else writes in here. */
function removeStaleLocks(folder: string): void {
  for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.lock')))
    rmSync(join(folder, name), { force: true });
}

/** Does the steps of a plan, shows them, and returns the reports with the exit code. The caller holds the lab. */
export async function executePlan(plan: Plan, work: Work): Promise<{ reports: StepReport[]; exitCode: number }> {
  const { io, state, runner } = work;
  const journal = await openJournal(state.journal);
  const run = randomUUID();
  const said: string[] = [];
  const stop = new AbortController();
  const progress = await createProgress(plan, io.stderr);
  const restore = onInterrupt(io, {
    first: () => {
      stop.abort();
      runner.interrupt();
    },
    second: () => runner.kill(),
  });
  try {
    journal.begin({
      run,
      verb: plan.verb,
      identity: identifySelf(),
      plan: createHash('sha256').update(JSON.stringify(plan)).digest('hex'),
    });
    const reports = await runSteps(plan.steps, {
      jobs: work.flags.jobs ?? Math.min(availableParallelism(), work.cpus ?? Number.POSITIVE_INFINITY),
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
        onProcess: ({ id }, argv0, pid) => journal.started({ run, step: id, argv0, pid, identity: identify(pid) }),
      }),
      onStart: (step) => progress.start(step),
      onEnd: (step, report) => {
        journal.finished({ run, step: step.id, result: report.result });
        progress.end(step, report);
      },
    });
    await progress.close();
    for (const text of said) note(io, `warning: ${text}`);
    const exitCode = stop.signal.aborted
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
    throw error;
  } finally {
    restore();
    journal.close();
  }
}

/** Every failure with its cluster and command, and what to type next. */
export function describeFailures(plan: Plan, reports: readonly StepReport[], again: string): string {
  const failed = reports.filter(({ result }) => result === 'failed');
  const blocks = failed.map(({ id, detail }) => {
    const step = plan.steps.find((one) => one.id === id);
    return `${step?.clusters.join(', ') || 'lab'}: could not ${step?.title}\n  ${(detail ?? '').replaceAll('\n', '\n  ')}`;
  });
  const left = reports.filter(({ result }) => result === 'blocked' || result === 'cancelled').length;
  const rest = left > 0 ? `${left} of ${reports.length} steps were not done. ` : '';
  return [...blocks, `${rest}What is done stays; the rest is made by: ${again}`].join('\n');
}
