import { describe, expect, it } from 'vitest';
import { linkerdSmi } from '../../src/addons/linkerd-smi.ts';
import type { App, AppsState } from '../../src/lab/apps.ts';
import { diffApps } from '../../src/plan/diff-apps.ts';
import { planApps, planAppsVerb } from '../../src/plan/plan-apps.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { change, cluster, errorOf, lab, linkerd, observed, worldAfter } from './build-lab.ts';

const app = (name: string, more: Partial<App> = {}): App => ({
  name,
  namespace: name,
  inject: false,
  sources: [{ kind: 'manifest', manifest: { location: `/labs/${name}.yaml`, sha256: 'abc' } }],
  exports: [],
  hash: '0123456789abcdef',
  at: 'a.yaml:9',
  ...more,
});

/** What is seen of these apps once all of them run. */
const seen = (apps: readonly App[], more: Partial<AppsState> = {}): AppsState => ({
  marks: apps.map(({ name, namespace, hash, inject }) => ({ app: name, namespace, hash, inject, missing: [] })),
  workloads: apps.map(({ name, namespace }) => ({ app: name, kind: 'deployment', namespace, name, ready: true })),
  services: [],
  types: {},
  ...more,
});

const CHART = { kind: 'chart', chart: '/labs/chart', sha256: 'abc', values: {}, only: [] } as const;

function planOf(apps: readonly App[], state?: AppsState, words: Parameters<typeof cluster>[1] = {}) {
  const declared = lab([cluster('a', { ...words, apps })]);
  const before = worldAfter(resolve(declared, observed()));
  const world = state ? change(before, 'a', ({ api }) => (api ? { api: { ...api, apps: state } } : {})) : before;
  return (missing = world.missing) => planAppsVerb(resolve(declared, world), { ...world, missing }, ['a']);
}

const commands = (steps: ReturnType<ReturnType<typeof planOf>>['steps']): string[] =>
  steps.flatMap((step) =>
    step.kind === 'run' ? [step.argv.filter((word) => typeof word === 'string').join(' ')] : [],
  );

describe('apps', () => {
  it('come one after the other, each once the one before is ready', () => {
    const { steps } = planOf([app('one'), app('two')])();
    expect(steps.find(({ id }) => id === 'a/app/two')?.needs).toContain('a/app/two/begin');
    expect(steps.find(({ id }) => id === 'a/app/two/begin')?.needs).toContain('a/app/one/note');
    expect(steps.find(({ id }) => id === 'a/app/one/objects')?.needs).toEqual(['a/app/one/ready']);
  });

  it('take part in a plan that makes their cluster first', () => {
    const declared = lab([cluster('a', { apps: [app('one')] })]);
    const desired = resolve(declared, observed());
    const names = ['a'];
    expect(planApps(desired, observed(), { names })).toEqual({
      steps: [],
      warnings: ['a does not run: it gets no apps'],
    });
    const { steps } = planApps(desired, observed(), { names, after: new Map([['a', ['a/nodes', 'a/linkerd']]]) });
    const first = steps.filter(({ needs }) => needs.includes('a/nodes')).map(({ id }) => id);
    expect(first).toContain('a/namespace/one');
    expect(steps.filter(({ needs }) => needs.length === 0)).toEqual([]);
  });

  it('are left alone when they are as they should be', () => {
    const apps = [app('one'), app('two', { exports: [{ service: 'web', mode: 'flat' }] })];
    const services = [{ app: 'two', namespace: 'two', name: 'web', exported: 'flat' }];
    expect(planOf(apps, seen(apps, { services }))().steps).toEqual([]);
  });

  it('that do not come up are waited for, and not applied again', () => {
    const state = seen([app('one')]);
    const away = { ...state, workloads: state.workloads.map((one) => ({ ...one, ready: false })) };
    expect(planOf([app('one')], away)().steps.map(({ kind }) => kind)).toEqual(['wait']);
  });

  it('of which something was taken away are applied again, and nothing of them is removed', () => {
    const state = seen([app('one')]);
    const marks = state.marks.map((mark) => ({ ...mark, missing: ['Service one/web'] }));
    const { steps } = planOf([app('one')], { ...state, marks })();
    expect(steps.map(({ id }) => id)).toContain('a/app/one');
    expect(commands(steps).filter((line) => line.includes('delete'))).toEqual([]);
    expect(diffApps(cluster('a', { apps: [app('one')] }), { ...state, marks })).toMatchObject([
      { why: 'not there: Service one/web' },
    ]);
  });

  it('that changed lose what is no longer in them, and copies of services of other clusters stay', () => {
    const types = { one: ['configmaps', 'deployments.apps'] };
    const { steps } = planOf([app('one', { hash: 'f'.repeat(16) })], seen([app('one')], { types }))();
    expect(commands(steps).find((line) => line.includes('delete'))).toBe(
      `kubectl --kubeconfig delete configmaps,deployments.apps --all-namespaces --selector lab/app=one,lab/owner=0123456789ab,lab/hash!=${'f'.repeat(16)},!mirror.linkerd.io/mirrored-service --ignore-not-found`,
    );
  });

  it('that moved to another namespace leave no mark in the old one', () => {
    const moved = app('one', { namespace: 'new', hash: 'f'.repeat(16) });
    const { steps } = planOf([moved], seen([app('one')]))();
    expect(commands(steps).at(-1)).toContain(
      'annotate namespace --selector kubernetes.io/metadata.name=one lab/app.one-',
    );
  });

  it('that got another name are taken over before what they were is removed', () => {
    const { steps } = planOf([app('new')], seen([app('old')], { types: { old: ['services'] } }))();
    const remove = steps.find(({ id }) => id === 'a/app/old/remove');
    expect(remove?.needs).toEqual(['a/app/new/note']);
  });

  it('start again when they are to have proxies, and only then', () => {
    const meshed = { mesh: linkerd };
    const state = seen([app('one')]);
    const change = diffApps(
      cluster('a', { ...meshed, apps: [app('one', { inject: true, hash: 'f'.repeat(16) })] }),
      state,
    );
    expect(change).toMatchObject([{ action: 'apply', restarts: true }]);
    expect(diffApps(cluster('a', { apps: [app('one', { hash: 'f'.repeat(16) })] }), state)).toMatchObject([
      { restarts: false },
    ]);
  });

  it('are noted as unfinished before anything of them changes, and applied again when a run left it at that', () => {
    const [old, changed] = [app('one'), app('one', { hash: 'f'.repeat(16) })];
    const { steps } = planOf([changed], seen([old]))();
    const [first, second] = steps;
    expect(first).toMatchObject({ id: 'a/app/one/begin', needs: [] });
    expect(commands(steps)[0]).toMatch(/annotate namespace one --overwrite lab\/app\.one=applying 0123456789ab$/);
    expect(second).toMatchObject({ id: 'a/namespace/one', needs: ['a/app/one/begin'] });
    const left = (hash: string) => {
      const state = seen([old]);
      return { ...state, marks: state.marks.map((mark) => ({ ...mark, hash })) };
    };
    const why = 'its last change was never finished';
    // The spec may say again what it said before.
    for (const wanted of [old, changed])
      for (const [hash, restarts] of [
        ['applying', false],
        ['restarting', true],
      ] as const)
        expect(diffApps(cluster('a', { apps: [wanted] }), left(hash))).toMatchObject([
          { action: 'apply', why, restarts },
        ]);
  });

  it('export services, and take exports back', () => {
    const apps = [app('one', { exports: [{ service: 'web', mode: 'gateway' }] })];
    const services = [
      { app: 'one', namespace: 'one', name: 'web' },
      { app: 'one', namespace: 'one', name: 'old', exported: 'flat' },
    ];
    const { steps } = planOf(apps, seen(apps, { services }))();
    expect(commands(steps)).toEqual([
      'kubectl --kubeconfig label service old --namespace one --overwrite mirror.linkerd.io/exported- mirror.linkerd.io/federated- lab/export-',
      'kubectl --kubeconfig label service web --namespace one --overwrite mirror.linkerd.io/exported=true mirror.linkerd.io/federated- lab/export=gateway',
    ]);
  });

  it('with charts need helm, and with proxies Linkerd', () => {
    const helm = [{ what: 'helm is not on the PATH', hint: 'install it' }];
    expect(errorOf(() => planOf([app('one', { sources: [CHART] })])(helm))).toMatchObject({
      exitCode: 3,
      text: ['charts need helm: helm is not on the PATH'],
    });
    expect(planOf([app('one')])(helm).steps).not.toEqual([]);
    expect(errorOf(() => planOf([app('one', { inject: true })], undefined, { mesh: linkerd })())).toMatchObject({
      exitCode: 3,
      text: ['no Linkerd in a, and one needs it'],
      hint: 'lab linkerd clusters a',
    });
  });

  it('that upstream gave up are said to be', () => {
    const retired = linkerdSmi.retired ?? '';
    expect(planOf([app('linkerd-smi', { retired })])().warnings).toEqual([`a: linkerd-smi: ${retired}`]);
  });
});
