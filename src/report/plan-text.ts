import type { Plan, Step } from '../step/step.ts';
import { renderArgv, renderEnv, renderStep } from './render-step.ts';

/**
 * The steps of a plan for a person, grouped by cluster; `wide` shows the input of each command too. A step that waits for
 * one of another cluster says so: where none does, the clusters go on side by side.
 */
export function formatPlan(plan: Plan, wide: boolean): string {
  const groups = new Map<string, Step[]>();
  const byId = new Map(plan.steps.map((step) => [step.id, step]));
  for (const step of plan.steps) {
    const name = step.clusters[0] ?? plan.lab.name;
    groups.set(name, [...(groups.get(name) ?? []), step]);
  }
  const blocks = [...groups].map(([name, steps]) =>
    [
      name,
      ...steps.flatMap((step) => [
        `  ${step.title}`,
        ...[...elsewhere(step, byId), ...commandLines(step, wide)].map((line) => `    ${line}`),
      ]),
    ].join('\n'),
  );
  return [...blocks, plan.summary].join('\n\n');
}

/** The steps of other clusters that this one waits for. */
function elsewhere({ clusters, needs }: Step, byId: ReadonlyMap<string, Step>): string[] {
  const others = needs.flatMap((id) => byId.get(id) ?? []).filter((step) => step.clusters.length > 0);
  return others
    .filter((step) => step.clusters[0] !== clusters[0])
    .map((step) => `after ${step.clusters.join(', ')}: ${step.title}`);
}

function commandLines(step: Step, wide: boolean): string[] {
  if (wide) return renderStep(step).flatMap((line) => line.split('\n'));
  if (step.kind === 'wait') return [];
  if (step.kind !== 'run' && step.kind !== 'query') return renderStep(step);
  return [`${renderEnv(step.env)}${shorten(renderArgv(step.argv))}`];
}

/** A record in an argument is long and says nothing new; -o wide shows it. */
const shorten = (line: string): string => (line.length > 240 ? `${line.slice(0, 237)}...` : line);
