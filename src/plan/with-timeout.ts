import type { Plan, Step } from '../step/step.ts';

/** The plan with `seconds` for every step, in place of each one's own limits; as it is without them. */
export const withTimeout = (plan: Plan, seconds: number | undefined): Plan =>
  seconds === undefined ? plan : { ...plan, steps: plan.steps.map((step) => limit(step, seconds)) };

const limit = (step: Step, seconds: number): Step =>
  'retry' in step && step.retry
    ? { ...step, timeout: seconds, retry: { ...step.retry, for: seconds } }
    : { ...step, timeout: seconds };
