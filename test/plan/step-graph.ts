import { expect } from 'vitest';
import type { Step, Value } from '../../src/step/step.ts';

const valuesOf = (step: Step): Value[] => {
  switch (step.kind) {
    case 'run':
      return [...step.argv, ...(step.stdin === undefined ? [] : [step.stdin]), ...(step.precondition?.argv ?? [])];
    case 'query':
      return [...step.argv, ...[step.stdin ?? []].flat()];
    case 'write':
      return [step.content];
    case 'kubeconfig':
      return step.action === 'merge' ? [step.source] : [];
    case 'wait':
      return [step.kubeconfig];
    case 'check':
      return [...step.check.argv];
    case 'certificate':
      // What it reads may be there from an earlier run.
      return [];
  }
};

/** Every step that must be done before this one. */
function everythingBefore(step: Step, byId: ReadonlyMap<string, Step>): Step[] {
  const found = new Set<Step>();
  const visit = (id: string) => {
    const need = byId.get(id);
    if (!need || found.has(need)) return;
    found.add(need);
    need.needs.forEach(visit);
  };
  step.needs.forEach(visit);
  return [...found];
}

/** Commands that leave the private kubeconfig behind, which is a file of the state directory. */
const produces = (step: Step, file: string): boolean =>
  (step.kind === 'write' && step.file.file === file) ||
  (step.kind === 'run' &&
    step.argv[1] === 'create' &&
    step.argv.some((one) => typeof one === 'object' && 'file' in one && one.file === file));

/**
 * What makes a plan one that can be run in parallel as well as from top to bottom: unique ids, needs that stand
 * earlier, captures and files that something before has made. `kept` are clusters whose kubeconfig is there already.
 */
export function checkGraph(steps: readonly Step[], kept: readonly string[]): void {
  const byId = new Map<string, Step>();
  for (const step of steps) {
    expect(byId.has(step.id), `${step.id} is there twice`).toBe(false);
    for (const need of step.needs)
      expect(byId.has(need), `${step.id} needs ${need}, which is not before it`).toBe(true);
    byId.set(step.id, step);
    const before = everythingBefore(step, byId);
    for (const value of valuesOf(step).filter((one) => typeof one === 'object')) {
      if ('ref' in value) {
        const captured = before.some((one) => one.kind === 'query' && one.capture === value.ref);
        expect(captured, `${step.id} uses ${value.ref}, which nothing it needs captures`).toBe(true);
      } else if (!produces(step, value.file) && !isRemoval(step)) {
        const there = kept.some((name) => value.file === `kubeconfigs/${name}.yaml`);
        const made = before.some((one) => produces(one, value.file));
        expect(there || made, `${step.id} uses ${value.file}, which nothing it needs makes`).toBe(true);
      }
    }
  }
}

/** Removing a cluster takes it out of the file; there need not be one. */
const isRemoval = (step: Step): boolean => step.kind === 'run' && step.argv[1] === 'delete';
