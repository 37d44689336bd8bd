import { expect, it } from 'vitest';
import type { StepResult } from '../../src/exec/scheduler.ts';
import { summariseRun } from '../../src/report/run-summary.ts';
import { planWith, runStep } from '../exec/steps.ts';

it('has a row a cluster, with how it ended and where', () => {
  const results: Record<string, StepResult> = {
    network: 'done',
    'a/create': 'done',
    'a/pool': 'skipped',
    'b/create': 'failed',
    'b/pool': 'blocked',
    'c/create': 'cancelled',
    'd/link': 'blocked',
  };
  const ids = Object.keys(results);
  const plan = planWith(ids.map((id) => runStep(id, id === 'network' ? { clusters: [] } : {})));
  const reports = ids.map((id) => ({ id, result: results[id] ?? 'done', seconds: 0, detail: 'needs b/create' }));
  expect(summariseRun(plan, reports).split('\n')).toEqual([
    'CLUSTER  RESULT     STEPS   WHERE',
    'lab      done       1 of 1  -',
    'a        done       2 of 2  -',
    'b        failed     0 of 2  do b/create',
    'c        cancelled  0 of 1  do c/create',
    'd        blocked    0 of 1  do d/link: needs b/create',
  ]);
});
