import type { StepReport, StepResult } from '../exec/scheduler.ts';
import type { Plan, Step } from '../step/step.ts';
import { formatTable } from './table.ts';

/** What a row says when its steps ended differently: the first of these. */
const ORDER: readonly StepResult[] = ['failed', 'cancelled', 'blocked'];

interface Ended {
  readonly step: Step;
  readonly report: StepReport;
}

/** How a run that did not end well ended for each cluster: a row a cluster, and one for what the clusters share. */
export function summariseRun(plan: Plan, reports: readonly StepReport[]): string {
  const rows = new Map<string, Ended[]>();
  for (const step of plan.steps) {
    const report = reports.find(({ id }) => id === step.id);
    const name = step.clusters[0] ?? 'lab';
    if (report) rows.set(name, [...(rows.get(name) ?? []), { step, report }]);
  }
  return formatTable(
    ['CLUSTER', 'RESULT', 'STEPS', 'WHERE'],
    [...rows].map(([name, ended]) => summariseRow(name, ended)),
  );
}

function summariseRow(name: string, ended: readonly Ended[]): string[] {
  const done = ended.filter(({ report: { result } }) => result === 'done' || result === 'skipped').length;
  const steps = `${done} of ${ended.length}`;
  for (const result of ORDER) {
    const first = ended.find(({ report }) => report.result === result);
    if (first) return [name, result, steps, where(first)];
  }
  return [name, 'done', steps, ''];
}

const where = ({ step, report }: Ended): string =>
  report.result === 'blocked' ? `${step.title}: ${report.detail}` : step.title;
