import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { App, AppsState } from '../../src/lab/apps.ts';
import { diffApps } from '../../src/plan/diff-apps.ts';
import { planApps } from '../../src/plan/plan-apps.ts';
import { resolve } from '../../src/plan/resolve.ts';
import type { RunStep } from '../../src/step/step.ts';
import { afterChange, apps, appsState } from './arbitrary-apps.ts';
import { change, cluster, lab, linkerd, observed, worldAfter } from './build-lab.ts';
import { checkGraph } from './step-graph.ts';

const withLinkerd = { mesh: linkerd };

function planned(list: readonly App[], state: AppsState) {
  const declared = lab([cluster('a', { ...withLinkerd, apps: list })]);
  const empty = worldAfter(resolve(declared, observed()));
  const world = change(empty, 'a', ({ api }) => (api ? { api: { ...api, apps: state } } : {}));
  return planApps(resolve(declared, world), world, { names: ['a'], after: new Map([['a', []]]) }).steps;
}

const wordsOf = ({ argv }: RunStep): string[] => argv.filter((word) => typeof word === 'string');

describe('apps, for any that were there before', () => {
  it('are as they should be once all changes were made, in their order', () => {
    let made = 0;
    fc.assert(
      fc.property(apps, appsState, (list, state) => {
        const changes = diffApps(cluster('a', { apps: list }), state);
        const after = changes.reduce(afterChange, state);
        made += changes.length;
        expect(diffApps(cluster('a', { apps: list }), after)).toEqual([]);
        for (const app of list) expect(after.marks.filter((mark) => mark.app === app.name)).toHaveLength(1);
      }),
      { numRuns: 300 },
    );
    expect(made).toBeGreaterThan(300);
  });

  it('are planned so that it can run from top to bottom, and in parallel', () => {
    fc.assert(
      fc.property(apps, appsState, (list, state) => {
        checkGraph(planned(list, state), ['a']);
      }),
      { numRuns: 100 },
    );
  });

  it('take away only what carries the mark of an app, and never a form that is wanted', () => {
    let removed = 0;
    fc.assert(
      fc.property(apps, appsState, (list, state) => {
        const runs = planned(list, state).filter((step) => step.kind === 'run');
        for (const words of runs.map(wordsOf).filter((argv) => argv.includes('delete'))) {
          const selector = words[words.indexOf('--selector') + 1] ?? '';
          const [, app = '', form] =
            /^lab\/app=([^,]+)(?:,lab\/hash!=([^,]+))?,!mirror\.linkerd\.io\/mirrored-service$/.exec(selector) ?? [];
          expect(words.slice(2)).toEqual([
            'delete',
            'services',
            '--all-namespaces',
            '--selector',
            selector,
            '--ignore-not-found',
          ]);
          expect(list.find(({ name }) => name === app)?.hash, selector).toBe(form);
          removed += 1;
        }
        for (const words of runs.map(wordsOf).filter((argv) => argv.includes('annotate')))
          expect(words.at(-1)).toMatch(/^lab\/app\.\w+(-|=(applying|restarting) 0123456789ab)$/);
      }),
      { numRuns: 200 },
    );
    expect(removed).toBeGreaterThan(50);
  });
});
