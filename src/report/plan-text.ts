import type { Plan, Step } from '../step/step.ts';
import { renderArgv, renderEnv, renderStep } from './render-step.ts';

/** The steps of a plan for a person, grouped by cluster; `wide` shows the input of each command too. */
export function formatPlan(plan: Plan, wide: boolean): string {
  const groups = new Map<string, Step[]>();
  for (const step of plan.steps) {
    const name = step.clusters[0] ?? plan.lab.name;
    groups.set(name, [...(groups.get(name) ?? []), step]);
  }
  const blocks = [...groups].map(([name, steps]) =>
    [
      name,
      ...steps.flatMap((step) => [`  ${step.title}`, ...commandLines(step, wide).map((line) => `    ${line}`)]),
    ].join('\n'),
  );
  return [...blocks, plan.summary].join('\n\n');
}

function commandLines(step: Step, wide: boolean): string[] {
  if (wide) return renderStep(step).flatMap((line) => line.split('\n'));
  if (step.kind === 'wait') return [];
  if (step.kind !== 'run' && step.kind !== 'query') return renderStep(step);
  return [`${renderEnv(step.env)}${shorten(renderArgv(step.argv))}`];
}

/** A record in an argument is long and says nothing new; -o wide shows it. */
const shorten = (line: string): string => (line.length > 240 ? `${line.slice(0, 237)}...` : line);
