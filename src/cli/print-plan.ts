import { stringify } from 'yaml';
import { withTimeout } from '../plan/with-timeout.ts';
import { formatPlan } from '../report/plan-text.ts';
import type { Plan } from '../step/step.ts';
import { type Flags, type Io, print } from './io.ts';

/** The plan of the lab in `folder` in the format that was asked for; what a format needs is loaded only for it. */
export async function printPlan(planned: Plan, folder: string, { output, timeout }: Flags, io: Io): Promise<void> {
  const plan = withTimeout(planned, timeout);
  if (isData(output)) printData(plan, output, io);
  else if (output === 'script') print(io, (await import('../report/plan-script.ts')).renderScript(plan, folder));
  else if (output === 'name') print(io, plan.steps.map(({ id }) => id).join('\n'));
  else print(io, formatPlan(plan, output === 'wide'));
}

/** Data as JSON or YAML. */
export function printData(data: unknown, output: Flags['output'], io: Io): void {
  print(io, output === 'yaml' ? stringify(data) : JSON.stringify(data, undefined, 2));
}

/** Whether a format is data rather than text for a person. */
export const isData = (output: Flags['output']): boolean => output === 'json' || output === 'yaml';
