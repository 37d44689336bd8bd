import type { Plan, RunStep, Step } from '../../src/step/step.ts';

/** A step that runs a program of its own name. */
export const runStep = (id: string, more: Partial<RunStep> = {}): RunStep => ({
  kind: 'run',
  id,
  title: `do ${id}`,
  clusters: [id.split('/')[0] ?? id],
  needs: [],
  timeout: 5,
  argv: [id],
  ...more,
});

export const planWith = (steps: readonly Step[], more: Partial<Plan> = {}): Plan => ({
  version: 1,
  lab: { name: 'practical', uid: '0123456789ab' },
  verb: 'create',
  summary: 'Plan: nothing.',
  warnings: [],
  steps,
  ...more,
});
