import type { Plan } from '../step/step.ts';

/** The plan with `seconds` for every step, in place of each one's own limit; as it is without them. */
export const withTimeout = (plan: Plan, seconds: number | undefined): Plan =>
  seconds === undefined ? plan : { ...plan, steps: plan.steps.map((step) => ({ ...step, timeout: seconds })) };
