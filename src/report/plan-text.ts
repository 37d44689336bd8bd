import type { Plan, Step, Value } from '../step/step.ts';
import { renderEnv, renderStep, renderValue } from './render-step.ts';

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
        ...[...elsewhere(step, byId), ...commandLines(step, wide)].map((line) => (line === '' ? '' : `    ${line}`)),
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
  if (!wide && step.kind === 'wait') return [];
  const isCommand = step.kind === 'run' || step.kind === 'query';
  const rendered =
    wide || !isCommand ? renderStep(step) : [`${renderEnv(step.env)}${step.argv.map(renderShort).join(' ')}`];
  return rendered.flatMap((line) => line.split('\n'));
}

const LONGEST = 320;
const SHOWN = 120;

/** A record in an argument is long and says nothing new. */
function renderShort(value: Value): string {
  const text = renderValue(value);
  if (text.length <= LONGEST || text.includes('\n')) return text;
  return `${text.slice(0, SHOWN)}… (${text.length - SHOWN} more characters: -o wide)`;
}
