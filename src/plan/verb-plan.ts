import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Plan, Step } from '../step/step.ts';

/** A plan, with what the lab warns of anyway. */
export const verbPlan = (
  verb: string,
  { lab, warnings }: Desired,
  steps: readonly Step[],
  summary: string,
  more: readonly string[] = [],
): Plan => ({
  version: 1,
  lab: { name: lab.name, uid: lab.uid },
  verb,
  summary,
  warnings: [...warnings, ...more],
  steps,
});

/** How much a verb does, and where. */
export function summariseSteps(steps: readonly Step[]): string {
  const clusters = [...new Set(steps.flatMap((step) => step.clusters))].sort();
  return steps.length === 0
    ? 'Plan: nothing to do.'
    : `Plan: ${formatCount(steps.length, 'step')} on ${clusters.join(', ')}.`;
}
