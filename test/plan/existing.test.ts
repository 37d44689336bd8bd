import { describe, expect, it } from 'vitest';
import type { ObservedCluster, TakenIn } from '../../src/lab/observed.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { planDelete } from '../../src/plan/plan-delete.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { cluster, errorOf, lab, observed, UID } from './build-lab.ts';

const declared = (name: string, words = {}) =>
  cluster(name, { provider: 'existing', access: { context: 'c', at: `${name}.yaml:5:12` }, group: 'g', ...words });

/** A cluster on some other machine. */
const there = (name: string, about: Partial<TakenIn> = {}, more: Partial<ObservedCluster> = {}): ObservedCluster => ({
  ...{ provider: 'existing', name, nodes: [], existing: { kubeconfig: '/k', stale: false, ...about } },
  ranges: { pods: ['10.0.0.0/16'], services: ['10.128.0.0/16'] },
  api: { nodes: [{ name: 'n', ready: true, podCidrs: ['10.0.0.0/24'], labels: {} }] },
  ...more,
});
const KEPT = { credentials: { ca: 'ca', server: 'https://prod:6443' } };

describe('a cluster that is there already, elsewhere', () => {
  const group = lab([declared('prod'), cluster('a', { group: 'g' })], { groups: { g: { mode: 'flat' } } });

  it('keeps its ranges, gets no pool, and the others are planned beside it', () => {
    const desired = resolve(group, observed({ clusters: [there('prod')] }));
    expect(desired.clusters).toMatchObject([
      { name: 'a', pods: [{ range: '10.1.0.0/16' }], services: [{ range: '10.129.0.0/16' }] },
      {
        name: 'prod',
        pods: [{ range: '10.0.0.0/16', reason: 'the cluster has it' }],
        loadBalancer: [],
        contexts: ['c'],
      },
    ]);
    expect(desired.routing.flatMap(({ routes }) => routes)).toEqual([]);
    expect(desired.warnings).toEqual([
      "prod: its nodes are no containers on the lab's network, so nothing is routed to its pods",
    ]);
  });

  it('joins by a copy of its credentials, once, and again when they change', () => {
    const changes = (one: ObservedCluster) => {
      const world = observed({ clusters: [one] });
      return diffForCreate(resolve(group, world), world, { names: ['prod'], recreate: [] });
    };
    expect(changes(there('prod'))).toMatchObject([{ kind: 'kubeconfig', cluster: 'prod' }]);
    expect(changes(there('prod', {}, KEPT))).toEqual([]);
    expect(changes(there('prod', { stale: true }, KEPT))).toMatchObject([{ why: 'its credentials changed' }]);
  });

  it('of which nothing is known stops a create beside it, at its context, and nothing else', () => {
    const problem = { message: 'https://prod does not answer: ETIMEDOUT', hint: 'is it up?' };
    const { api: _, ranges: __, ...silent } = there('prod', { problem });
    const world = observed({ clusters: [silent] });
    const desired = resolve(group, world);
    expect(desired.warnings).toEqual(['prod: https://prod does not answer: ETIMEDOUT']);
    expect(errorOf(() => diffForCreate(desired, world, { names: ['a'], recreate: [] }))).toMatchObject({
      exitCode: 2,
      text: [expect.stringContaining('prod.yaml:5:12')],
    });
  });

  it('may have the ranges of another one that it is not routed to', () => {
    const twins = [declared('east'), declared('west')];
    const world = observed({ clusters: [there('east'), there('west')] });
    expect(() => resolve(lab(twins, { groups: { g: { mode: 'gateway' } } }), world)).not.toThrow();
    expect(errorOf(() => resolve(lab(twins, { groups: { g: { mode: 'flat' } } }), world))).toMatchObject({
      exitCode: 2,
      text: [expect.stringMatching(/east\.yaml:5:12.*the pods of east, 10\.0\.0\.0\/16, overlap the pods of west/)],
    });
  });

  it('is never removed, whatever is asked for', () => {
    const world = observed({ clusters: [there('prod', {}, KEPT)] });
    const plan = planDelete(world, { lab: { name: 'x', uid: UID }, names: ['prod'], adopt: true });
    expect(plan.steps).toEqual([]);
    expect(plan.summary).toMatch(/^Plan: 0 clusters to delete, 1 to let go/);
  });
});
