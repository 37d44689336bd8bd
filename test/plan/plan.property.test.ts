import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { LabError } from '../../src/errors.ts';
import type { Desired } from '../../src/lab/desired.ts';
import type { Lab } from '../../src/lab/lab.ts';
import type { Observed, ObservedCluster } from '../../src/lab/observed.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { planCreate } from '../../src/plan/plan-create.ts';
import { planDelete } from '../../src/plan/plan-delete.ts';
import { preflight } from '../../src/plan/preflight.ts';
import { resolve } from '../../src/plan/resolve.ts';
import type { Plan } from '../../src/step/step.ts';
import { resolveOrNothing, scenes } from './arbitrary-lab.ts';
import { OTHER_UID, worldAfter } from './build-lab.ts';
import { checkGraph } from './step-graph.ts';

// A machine with few cores may be busy with a real engine meanwhile.
vi.setConfig({ testTimeout: 60_000 });

/** What can have happened to a cluster since it was made; undefined: it is gone. */
const FATES: Readonly<Record<string, (one: ObservedCluster) => ObservedCluster | undefined>> = {
  well: (one) => one,
  gone: () => undefined,
  unfinished: ({ applied: _, api: __, ranges: ___, ...one }) => one,
  stopped: ({ api: _, ...one }) => ({ ...one, nodes: one.nodes.map((node) => ({ ...node, running: false })) }),
  'half stopped': (one) => ({ ...one, nodes: one.nodes.map((node, index) => ({ ...node, running: index > 0 })) }),
  silent: ({ api: _, ...one }) => one,
  'without kubeconfig': ({ api: _, credentials: __, ...one }) => one,
  'stopped without kubeconfig': ({ api: _, credentials: __, ...one }) => ({
    ...one,
    nodes: one.nodes.map((node) => ({ ...node, running: false })),
  }),
  unreadable: ({ applied: _, api: __, ranges: ___, ...one }) => ({ ...one, unreadable: 'no answer' }),
  unmarked: (one) => ({ ...one, unmarked: true }),
  'without load balancer': ({ api, ...one }) => ({ ...one, api: { nodes: api?.nodes ?? [] } }),
  'of another zone': (one) => (one.applied ? { ...one, applied: { ...one.applied, zone: 'elsewhere' } } : one),
  'of somebody else': (one) => ({ ...one, owner: OTHER_UID }),
  'made from another spec': (one) =>
    one.applied ? { ...one, applied: { ...one.applied, fixed: { ...one.applied.fixed, ports: '1:1/tcp' } } } : one,
};
const NAMES = Object.keys(FATES);
/** All but those that a create refuses. */
const HARMLESS = NAMES.filter((name) => !['unreadable', 'of somebody else', 'made from another spec'].includes(name));

interface World {
  readonly declared: Lab;
  readonly world: Observed;
}

const worlds = (fates: readonly string[]): fc.Arbitrary<World> =>
  fc
    .record({
      scene: scenes(12),
      fates: fc.array(fc.constantFrom(...fates), { minLength: 12, maxLength: 12 }),
      contexts: fc.array(fc.boolean(), { minLength: 24, maxLength: 24 }),
      images: fc.boolean(),
      pull: fc.constantFrom(undefined, 'kindest/node:v1.34.4'),
    })
    .map(({ scene: { declared: bare, world: before }, fates: list, contexts, images, pull }) => {
      const clusters = bare.clusters.map((one) => ({
        ...one,
        provider: 'kind' as const,
        images: images ? ['my/app:dev'] : [],
        kubernetes: pull ? { image: pull } : {},
      }));
      const declared = { ...bare, clusters };
      const empty = {
        ...before,
        clusters: before.clusters.filter(({ owner }) => owner === undefined),
        images: { 'my/app:dev': 'sha256:1' },
      };
      const desired = resolveOrNothing(declared, empty);
      // Where the kernel has no IPv6, no cluster that wants it was ever made.
      if (!desired || empty.host.ipv6 === false) return { declared, world: empty };
      const made = worldAfter(desired, empty);
      const own = made.clusters.slice(empty.clusters.length);
      const living = own.flatMap((one, index) => FATES[list[index] ?? 'well']?.(one) ?? []);
      return {
        declared,
        world: {
          ...made,
          clusters: [...empty.clusters, ...living],
          contexts: made.contexts.filter((_, index) => contexts[index]),
        },
      };
    });

interface Planned extends World {
  readonly desired: Desired;
  readonly plan: Plan;
}

function planAll({ declared, world }: World, recreate: readonly string[] = []): Planned {
  const names = declared.clusters.map(({ name }) => name);
  const desired = resolve(declared, world);
  const changes = diffForCreate(desired, world, { names, recreate });
  preflight(desired, world, changes);
  return { declared, world, desired, plan: planCreate(desired, world, changes, names) };
}

function planOrNothing(world: World): Planned | undefined {
  try {
    return planAll(world);
  } catch (error) {
    if (error instanceof LabError) return undefined;
    throw error;
  }
}

const withCredentials = ({ clusters }: Observed) =>
  clusters.filter(({ credentials }) => credentials).map(({ name }) => name);

describe('a plan of create, for any lab and whatever has happened to it', () => {
  it('can run from top to bottom, and in parallel', () => {
    let longest = 0;
    fc.assert(
      fc.property(worlds(HARMLESS), (world) => {
        const planned = planOrNothing(world);
        if (!planned) return;
        checkGraph(planned.plan.steps, withCredentials(planned.world));
        longest = Math.max(longest, planned.plan.steps.length);
      }),
      { numRuns: 60 },
    );
    expect(longest).toBeGreaterThan(20);
  });

  it('never deletes a cluster that was once ready, nor one of somebody else', () => {
    fc.assert(
      fc.property(worlds(NAMES), (world) => {
        const removes = planOrNothing(world)?.plan.steps.filter((step) => step.id.endsWith('/remove')) ?? [];
        const [...names] = removes.flatMap(({ clusters }) => clusters);
        const touched = world.world.clusters.filter(({ name }) => names.includes(name));
        expect(
          touched.filter(({ applied, unreadable, owner }) => applied || unreadable || owner !== world.declared.uid),
        ).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('says no before anything when a cluster is not ours or cannot be changed in place', () => {
    fc.assert(
      fc.property(worlds(NAMES), (world) => {
        const refused = world.world.clusters.some(
          ({ owner, applied, unreadable }) =>
            owner === OTHER_UID || unreadable !== undefined || applied?.fixed.ports === '1:1/tcp',
        );
        if (refused) expect(planOrNothing(world)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('makes anew what is named in --recreate, and only that', () => {
    fc.assert(
      fc.property(worlds(['well']), fc.nat(11), (world, index) => {
        const name = world.world.clusters.filter(({ applied }) => applied)[index]?.name;
        if (!name) return;
        const { plan } = planAll(world, [name]);
        checkGraph(plan.steps, withCredentials(world.world));
        expect(plan.steps.filter(({ id }) => id.endsWith('/remove')).map(({ clusters }) => clusters)).toEqual([[name]]);
      }),
      { numRuns: 30 },
    );
  });

  it('has nothing to do after it was carried out', () => {
    fc.assert(
      fc.property(worlds(['well', 'gone']), (world) => {
        const planned = planOrNothing(world);
        if (!planned) return;
        const { desired } = planned;
        const others = world.world.clusters.filter(({ owner }) => owner !== world.declared.uid);
        const after = worldAfter(desired, { ...world.world, clusters: others, contexts: [] });
        if (world.world.host.ipv6 !== false) expect(planAll({ ...world, world: after }).plan.steps).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a plan of delete', () => {
  it('can run from top to bottom, and leaves what is not ours', () => {
    fc.assert(
      fc.property(worlds(NAMES), ({ declared, world }) => {
        const own = world.clusters.filter(({ owner }) => owner === declared.uid).map(({ name }) => name);
        const names = [...new Set([...own, ...declared.clusters.map(({ name }) => name)])].filter(
          (name) => !world.clusters.some((one) => one.name === name && one.owner === OTHER_UID),
        );
        const plan = planDelete(world, { lab: declared, names, adopt: false });
        checkGraph(plan.steps, []);
        const removed = plan.steps.filter(({ id }) => id.endsWith('/remove')).flatMap(({ clusters }) => clusters);
        expect(removed.toSorted()).toEqual(own.toSorted());
      }),
      { numRuns: 60 },
    );
  });
});
