import { explainError, LabError } from '../errors.ts';
import type { Step } from '../step/step.ts';

/** How a step ended. `blocked`: something it needs failed. `cancelled`: the run was stopped before its turn. */
export type StepResult = 'done' | 'skipped' | 'failed' | 'blocked' | 'cancelled';

export interface StepReport {
  readonly id: string;
  readonly result: StepResult;
  readonly seconds: number;
  /** Why it failed, was skipped or is blocked. */
  readonly detail?: string;
}

export interface ScheduleOptions {
  /** Steps that run at the same time, see {@link laneOf}. */
  readonly jobs: number;
  /** Ends once it is aborted: what runs is waited for, nothing new starts. */
  readonly signal: AbortSignal;
  /** Does one step. @throws for a failure; resolves to why it was not needed, or undefined */
  readonly perform: (step: Step) => Promise<string | undefined>;
  readonly onStart?: (step: Step) => void;
  readonly onEnd?: (step: Step, report: StepReport) => void;
}

/**
 * Runs a graph of steps, each as soon as everything it needs is done, in the order of the plan where several could.
 * A failed step blocks only what needs it. Reports are in the order of the plan.
 */
export async function runSteps(steps: readonly Step[], options: ScheduleOptions): Promise<StepReport[]> {
  const reports = new Map<string, StepReport>();
  const waiting = new Set(steps);
  const running = new Set<Promise<void>>();
  const slots = { changes: options.jobs, reads: options.jobs };

  const finish = (step: Step, report: Omit<StepReport, 'id'>) => {
    reports.set(step.id, { id: step.id, ...report });
    options.onEnd?.(step, { id: step.id, ...report });
  };
  const start = (step: Step) => {
    const lane = laneOf(step);
    if (lane) slots[lane]--;
    options.onStart?.(step);
    const work = performTimed(step, options).then((report) => {
      if (lane) slots[lane]++;
      running.delete(work);
      finish(step, report);
    });
    running.add(work);
  };

  while (waiting.size > 0 || running.size > 0) {
    const left = waiting.size;
    for (const step of waiting) {
      const verdict = options.signal.aborted ? { result: 'cancelled' as const } : readiness(step, reports);
      const lane = laneOf(step);
      if (verdict === 'later' || (verdict === 'now' && lane && slots[lane] === 0)) continue;
      waiting.delete(step);
      if (verdict === 'now') start(step);
      else finish(step, { ...verdict, seconds: 0 });
    }
    // A race of nobody never ends: after a failure nothing may run any more while steps are still being given up.
    if (running.size > 0) await Promise.race(running);
    else if (waiting.size === left) throw new TypeError(`steps that wait for each other: ${idsOf(waiting)}`);
  }
  return steps.map(({ id }) => reports.get(id) as StepReport);
}

/**
 * What a step takes a slot of while it runs. What reads or renders is short, and must not stand behind clusters that boot
 * for minutes: it has slots of its own. What only waits, writes a file or is light takes none.
 */
function laneOf(step: Step): 'changes' | 'reads' | undefined {
  if (step.kind === 'query') return 'reads';
  return (step.kind === 'run' && !step.light) || step.kind === 'check' ? 'changes' : undefined;
}

const idsOf = (steps: Iterable<Step>): string => [...steps].map(({ id }) => id).join(', ');

function readiness(
  step: Step,
  reports: ReadonlyMap<string, StepReport>,
): 'now' | 'later' | { readonly result: 'blocked'; readonly detail: string } {
  const needs = step.needs.map((id) => reports.get(id));
  const failed = needs.find((report) => report && report.result !== 'done' && report.result !== 'skipped');
  if (failed) return { result: 'blocked', detail: `needs ${failed.id}` };
  return needs.includes(undefined) ? 'later' : 'now';
}

async function performTimed(step: Step, { perform, signal }: ScheduleOptions): Promise<Omit<StepReport, 'id'>> {
  const begun = performance.now();
  const seconds = () => Math.round((performance.now() - begun) / 100) / 10;
  try {
    const unneeded = await perform(step);
    return unneeded === undefined
      ? { result: 'done', seconds: seconds() }
      : { result: 'skipped', seconds: seconds(), detail: unneeded };
  } catch (error) {
    const detail =
      error instanceof LabError ? explainError(error) : error instanceof Error ? error.message : String(error);
    return { result: signal.aborted ? 'cancelled' : 'failed', seconds: seconds(), detail };
  }
}
