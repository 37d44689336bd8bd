import { describe, expect, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.ts';
import type { Observed } from '../../src/lab/observed.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { planUp } from '../../src/plan/plan-up.ts';
import { resolve } from '../../src/plan/resolve.ts';
import type { Plan, Step } from '../../src/step/step.ts';
import { observedCertificates } from './build-certificates.ts';
import { calico, change, cluster, lab, linkerd, observed, worldAfter } from './build-lab.ts';
import { linkTo, meshed, VERSION, worldOf } from './mesh-world.ts';

const member = (name: string, words: Parameters<typeof cluster>[1] = {}) =>
  cluster(name, { group: 'face', mesh: linkerd, ...words });
const GROUPS = { groups: { face: { mode: 'flat' } } } as const;
const LAB = lab([member('a', { nodes: { workers: 1 } }), member('b')], GROUPS);
const CLI = { linkerdClis: [{ binary: 'linkerd', version: VERSION }], certificates: observedCertificates() };

function up(of: Lab, world: Observed, only = of.clusters.map(({ name }) => name)): Plan {
  const desired = resolve(of, world);
  return planUp(desired, world, diffForCreate(desired, world, { names: only, recreate: [] }), only);
}

const idsOf = ({ steps }: Plan) => steps.map(({ id }) => id);
const find = ({ steps }: Plan, id: string): Step => {
  const step = steps.find((one) => one.id === id);
  if (!step) throw new Error(`no step ${id} among ${steps.map((one) => one.id).join(', ')}`);
  return step;
};
/** Everything that a step waits for, directly or not. */
const ancestors = (plan: Plan, id: string): Set<string> =>
  new Set(find(plan, id).needs.flatMap((need) => [need, ...ancestors(plan, need)]));
const clustersBefore = (plan: Plan, id: string): string[] =>
  [...new Set([...ancestors(plan, id)].flatMap((need) => find(plan, need).clusters))].toSorted();

describe('up of a lab that is not there', () => {
  const plan = up(LAB, observed(CLI));

  it('makes certificates and renders while the clusters boot', () => {
    for (const id of ['a/linkerd-crds-render', 'a/linkerd-render', 'a/multicluster-render'])
      expect([...ancestors(plan, id)].filter((need) => find(plan, need).kind === 'run')).toEqual([]);
    expect([...ancestors(plan, 'a/linkerd-render')].toSorted()).toEqual([
      'a/issuer',
      'a/linkerd-values',
      'certificates/anchor',
      'certificates/bundle',
    ]);
  });

  it('gives a cluster Linkerd as soon as it is ready, whatever the others do', () => {
    expect(ancestors(plan, 'a/linkerd')).toContain('a/nodes');
    expect(clustersBefore(plan, 'a/multicluster')).toEqual(['a']);
  });

  it('makes an edge as soon as both its ends can, and no other cluster is asked', () => {
    const three = up(lab([...LAB.clusters, member('c')], GROUPS), observed(CLI));
    expect(clustersBefore(three, 'a/link/b')).toEqual(['a', 'b']);
    expect(clustersBefore(three, 'a/routing/a-worker/b')).toEqual(['a', 'b']);
    expect(find(three, 'a/link/b/generate')).toMatchObject({
      argv: expect.arrayContaining([{ ref: 'a/link/b/address' }]),
    });
  });

  it('routes from every node by what each new peer says of its nodes, and needs no Linkerd for it', () => {
    const routes = plan.steps.filter(({ id }) => id.includes('/routing/'));
    expect(routes.map(({ id }) => id)).toEqual([
      'a/routing/a-control-plane/b',
      'a/routing/a-worker/b',
      'b/routing/b-control-plane/a',
    ]);
    for (const step of routes) expect([...ancestors(plan, step.id)].filter((id) => id.includes('linkerd'))).toEqual([]);
    expect(find(plan, 'a/routing/a-worker/b')).toMatchObject({
      needs: ['a/nodes', 'b/pod-ranges'],
      stdin: { ref: 'b/pod-ranges' },
    });
  });

  it('waits for addresses to hand out where an edge uses a gateway', () => {
    const links = [{ from: 'a', to: 'b', mode: 'gateway', at: 'lab.yaml:9' }] as const;
    const gated = up(lab([member('a', { group: 'x' }), member('b', { group: 'y' })], { links }), observed(CLI));
    expect(find(gated, 'a/link/b/generate').needs).toContain('b/pool');
  });

  it('loads images before anything that runs them', () => {
    const of = lab([member('a', { images: ['my/app:dev'] })]);
    const loaded = up(of, observed({ ...CLI, images: { 'my/app:dev': 'sha256:1' } }));
    expect(ancestors(loaded, 'a/linkerd')).toContain('a/images');
  });

  it('is complete without a mesh', () => {
    const bare = up(lab([cluster('a', { group: 'x' }), cluster('b', { group: 'x' })]), observed());
    expect(idsOf(bare)).toEqual(expect.arrayContaining(['a/create', 'b/routing/b-control-plane/a']));
    expect(idsOf(bare).filter((id) => /linkerd|link|certificates/.test(id))).toEqual([]);
  });

  it('is shown without an engine and without a CLI, and says what it assumes', () => {
    const { engine: _, ...away } = observed();
    const shown = up(LAB, {
      ...away,
      certificates: observedCertificates(),
      linkerdClis: [{ binary: 'linkerd', problem: 'linkerd is not here' }],
    });
    const asks = (id: string) => id.endsWith('/linkerd-version');
    expect(idsOf(shown).filter((id) => !asks(id))).toEqual(idsOf(plan));
    expect(idsOf(shown).filter(asks)).toHaveLength(2);
    expect(JSON.stringify(shown.steps)).not.toMatch(/unknown|undefined/);
    expect(JSON.stringify(shown.steps)).toContain('"--expected-version",{"ref":"a/linkerd-version"}');
    expect(shown.warnings.join()).toMatch(/no engine answers: .*linkerd is not here; planned all the same/);
  });
});

describe('up of a lab of which a part is there', () => {
  /** Both clusters with Linkerd and links, and known places for all nodes. */
  const settled = (of = LAB) => {
    const world = placed(worldOf(of));
    return meshed(of, meshed(of, world, 'a', [linkTo(world, 'b')]), 'b', [linkTo(world, 'a')]);
  };
  const placed = (world: Observed): Observed => ({
    ...world,
    clusters: world.clusters.map((one, number) => ({
      ...one,
      ...(one.api && {
        api: {
          ...one.api,
          nodes: one.api.nodes.map((node, at) => ({ ...node, podCidrs: [`10.${number}.${at}.0/24`] })),
        },
      }),
    })),
  });
  const without = (world: Observed, name: string): Observed => ({
    ...world,
    clusters: world.clusters.filter((one) => one.name !== name),
  });

  it('does nothing where nothing is missing', () => {
    const routed = settled();
    const desired = resolve(LAB, routed);
    const nodeNetworks = Object.fromEntries(
      desired.routing.map(({ node, routes, exemptions }) => [
        node,
        {
          routes: routes.map((route) => ({ ...route, ours: true })),
          rules: exemptions.map((rule) => ({ ...rule, ours: true, effective: true })),
          masquerading: [],
        },
      ]),
    );
    const plan = up(LAB, { ...routed, nodeNetworks });
    expect(plan.steps).toEqual([]);
    expect(plan.summary).toBe('Plan: 0 clusters to create, 0 to finish, 2 to leave; takes nothing more.');
  });

  it('routes and links a new cluster with those that run, whose addresses are known', () => {
    const plan = up(LAB, without(settled(), 'b'), ['b']);
    expect(find(plan, 'b/routing/b-control-plane')).toMatchObject({
      needs: ['b/nodes'],
      stdin: expect.stringContaining('ip route replace 10.0.1.0/24 via 172.28.0.3 metric 76'),
    });
    expect(find(plan, 'a/routing/a-worker/b').needs).toEqual(['b/pod-ranges']);
    expect(idsOf(plan)).toEqual(expect.arrayContaining(['a/link/b', 'b/link/a', 'b/linkerd']));
    expect(idsOf(plan)).not.toContain('a/linkerd');
  });

  it('takes away what led to a cluster that is gone before it leads to the new one', () => {
    const old = {
      routes: [{ destination: '10.9.9.0/24', via: '172.28.0.99', ours: true }],
      rules: [],
      masquerading: [],
    };
    const plan = up(LAB, { ...without(settled(), 'b'), nodeNetworks: { 'a-worker': old } });
    expect(find(plan, 'a/routing/a-worker')).toMatchObject({ stdin: expect.stringContaining('ip route del 10.9.9.0') });
    expect(find(plan, 'a/routing/a-worker/b').needs).toContain('a/routing/a-worker');
  });

  it('leaves what has to start to a later plan, and says so', () => {
    const stopped = change(settled(), 'b', ({ nodes }) => ({
      nodes: nodes.map((one) => ({ ...one, running: false })),
    }));
    const plan = up(LAB, stopped);
    expect(plan.warnings).toEqual([
      'b: first has to start or to join; its routes, Linkerd, links and apps are planned once it answers',
    ]);
    expect(idsOf(plan)).toContain('b/start');
    expect(idsOf(plan).filter((id) => /link/.test(id))).toEqual([]);
  });

  it('leaves routes of pod networks that have to be told of their peers, and what is beside new clusters', () => {
    const workload = {
      ...{ name: 'outside', at: 'outside.yaml:3', cluster: 'a', namespace: 'default', image: 'lab/probe:local' },
      ...{ env: {}, ports: [], labels: {}, addresses: [], digest: 'one' },
    };
    const declared = lab(
      [member('a'), member('b', calico()), member('c', { group: 'other' }), member('d', { group: 'other' })],
      { workloads: [workload] },
    );
    const plan = up(declared, observed(CLI));
    expect(plan.warnings).toEqual(
      expect.arrayContaining([
        'a, b: in a group with a pod network that has to be told of its peers; its routes are planned once it runs',
        'outside: beside a cluster that is made first; its container is planned once that runs',
      ]),
    );
    expect(idsOf(plan).filter((id) => id.includes('/routing/'))).toEqual([
      'c/routing/c-control-plane/d',
      'd/routing/d-control-plane/c',
    ]);
    expect(idsOf(plan)).toContain('b/linkerd');
  });

  it('goes on where a peer that is not named has no Linkerd, and says what to type', () => {
    const world = placed(worldOf(LAB));
    const plan = up(LAB, without(world, 'b'), ['b']);
    expect(plan.warnings).toEqual(['no Linkerd in a, so nothing is linked with it; see: lab linkerd clusters a']);
    expect(idsOf(plan)).toContain('b/linkerd');
  });
});

it('has no step that needs one which is not there', () => {
  const plan = up(lab([...LAB.clusters, member('c', { ipFamily: 'dual' })], GROUPS), observed(CLI));
  const known = new Set(idsOf(plan));
  expect(plan.steps.flatMap(({ needs }) => needs).filter((need) => !known.has(need))).toEqual([]);
  expect(known.size).toBe(plan.steps.length);
});

it('keeps a lab of the past as it is', () => {
  const world = worldAfter(resolve(lab(['a', 'b']), observed()));
  expect(up(lab(['a', 'b']), world).steps).toEqual([]);
});

describe('apps of a lab that is not there', () => {
  const app = {
    ...{ name: 'web', namespace: 'web', inject: true, exports: [], hash: '0123456789abcdef', at: 'a.yaml:9' },
    sources: [{ kind: 'manifest', manifest: { location: '/labs/web.yaml', sha256: 'abc' } }],
  } as const;

  it('wait for Linkerd of their own cluster, and for no other cluster', () => {
    const plan = up(lab([member('a', { apps: [app] }), member('b')], GROUPS), observed(CLI));
    expect(ancestors(plan, 'a/app/web')).toContain('a/linkerd-inputs');
    expect(clustersBefore(plan, 'a/app/web')).toEqual(['a']);
    expect(plan.summary).toMatch(/ 1 app to apply or take away\.$/);
  });
});
