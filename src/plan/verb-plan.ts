import type { Desired } from '../lab/desired.ts';
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
