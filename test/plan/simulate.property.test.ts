import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Desired } from '../../src/lab/desired.ts';
import { FAMILIES } from '../../src/net/address.ts';
import { pairs, roadsAfter, routingSteps, somePod } from '../../src/plan/simulate.ts';
import { trace } from '../../src/plan/trace.ts';
import type { RunStep } from '../../src/step/step.ts';
import { resolveOrNothing, scenes } from './arbitrary-lab.ts';
import { observed } from './build-lab.ts';

/** Labs whose clusters are in one of two groups, or in none. */
const grouped = fc
  .record({
    scene: scenes(5),
    groups: fc.array(fc.constantFrom('east', 'east', 'west', undefined), { minLength: 5, maxLength: 5 }),
    preserve: fc.array(fc.constantFrom(true, true, true, false), { minLength: 5, maxLength: 5 }),
  })
  .map(({ scene: { declared }, groups, preserve }) => ({
    ...declared,
    clusters: declared.clusters.map(({ group: _, ...one }, index) => ({
      ...one,
      ...(groups[index] && { group: groups[index] }),
      nodes: { servers: 1, workers: Math.min(one.nodes.workers, 2) },
      network: { ...one.network, preserveSourceIP: preserve[index] ?? true },
    })),
  }));

interface Cell {
  readonly id: string;
  readonly green: boolean;
}

function matrix(desired: Desired, steps: readonly RunStep[]): Cell[] {
  const roads = roadsAfter(desired, steps);
  return pairs(
    desired,
    desired.clusters.map(({ name }) => name),
  ).flatMap(({ from, to, family }) => {
    const [one, other] = [somePod(from, family), somePod(to, family)];
    if (!one || !other) return [];
    const way = trace(roads, one, other);
    const keeps = desired.clusters.find(({ name }) => name === from.cluster)?.spec.network.preserveSourceIP;
    return [{ id: `${from.node} ${to.node} ${family}`, green: way.reached && (!keeps || way.source === one.address) }];
  });
}

/** From every node to every node of every other cluster, in every family. */
const waysBetweenClusters = ({ nodes }: Desired) =>
  nodes.flatMap((from) =>
    nodes
      .filter((to) => to.cluster !== from.cluster)
      .flatMap((to) =>
        FAMILIES.flatMap((family) => {
          const [one, other] = [somePod(from, family), somePod(to, family)];
          return one && other ? [{ id: `${from.node} ${to.node} ${family}`, one, other }] : [];
        }),
      ),
  );

/** Every way to leave out one line of one step. */
const withoutOneLine = (steps: readonly RunStep[]): { line: string; steps: RunStep[] }[] =>
  steps.flatMap((step) => {
    const lines = (step.stdin as string).trim().split('\n').filter(Boolean);
    return lines.map((line) => ({
      line,
      steps: steps.flatMap((one) => {
        const rest = lines.filter((other) => other !== line).join('\n');
        return one !== step ? [one] : rest === '' ? [] : [{ ...step, stdin: rest }];
      }),
    }));
  });

describe('the plan of one flat network, read back from its own commands', () => {
  it('reaches every pod of a group, and nothing outside of it', () => {
    let planned = 0;
    fc.assert(
      fc.property(grouped, (declared) => {
        const desired = resolveOrNothing(declared, observed());
        if (!desired) return;
        const steps = routingSteps(desired);
        const cells = matrix(desired, steps);
        planned += cells.length;
        expect(cells.filter(({ green }) => !green)).toEqual([]);
        const inside = new Set(cells.map(({ id }) => id));
        const roads = roadsAfter(desired, steps);
        const outside = waysBetweenClusters(desired).filter(({ id }) => !inside.has(id));
        expect(outside.filter(({ one, other }) => trace(roads, one, other).reached)).toEqual([]);
      }),
      { numRuns: 60 },
    );
    expect(planned).toBeGreaterThan(20);
  });

  it('has no line that could be left out', () => {
    let left = 0;
    fc.assert(
      fc.property(grouped, (declared) => {
        const desired = resolveOrNothing(declared, observed());
        fc.pre(desired !== undefined);
        const whole = routingSteps(desired);
        // A lab without routes proves nothing: another is drawn in its place.
        fc.pre(whole.length > 0);
        for (const { line, steps } of withoutOneLine(whole)) {
          left += 1;
          expect(
            matrix(desired, steps).some(({ green }) => !green),
            `without: ${line}`,
          ).toBe(true);
        }
      }),
      { numRuns: 12 },
    );
    expect(left).toBeGreaterThan(20);
  });
});
