import fc from 'fast-check';
import type { App, AppMark, AppSource, AppsState } from '../../src/lab/apps.ts';
import type { AppChange } from '../../src/plan/diff-apps.ts';

const NAMES = ['faces', 'shop', 'web', 'old'];
const NAMESPACES = ['blue', 'green', 'red'];
const HASHES = ['0'.repeat(16), '1'.repeat(16), '2'.repeat(16)];
const SERVICES = ['api', 'gui'];

const name = fc.constantFrom(...NAMES);
const namespace = fc.constantFrom(...NAMESPACES);
const hash = fc.constantFrom(...HASHES);
const mode = fc.constantFrom('flat' as const, 'gateway' as const, 'federated' as const);

const source: fc.Arbitrary<AppSource> = fc.constantFrom<AppSource>(
  { kind: 'manifest', manifest: { location: '/labs/web.yaml', sha256: 'abc' } },
  { kind: 'manifest', manifest: { location: 'https://example.org/web.yaml' } },
  { kind: 'chart', chart: '/labs/chart', sha256: 'abc', values: {}, only: [] },
  {
    kind: 'chart',
    chart: 'oci://example.org/chart',
    version: '1.0.0',
    values: { size: 2 },
    only: ['templates/x.yaml'],
  },
);

/** As the reader of the specs lets them through: one of a name, one word about the proxy for a namespace. */
export const apps: fc.Arbitrary<App[]> = fc
  .record({
    list: fc.uniqueArray(
      fc.record({
        name,
        namespace,
        hash,
        sources: fc.array(source, { minLength: 1, maxLength: 3 }),
        exports: fc.uniqueArray(fc.record({ service: fc.constantFrom(...SERVICES), mode }), {
          selector: ({ service }) => service,
          maxLength: 2,
        }),
      }),
      { selector: (one) => one.name, maxLength: 3 },
    ),
    injected: fc.subarray(NAMESPACES),
  })
  .map(({ list, injected }) =>
    list.map((one) => ({ ...one, inject: injected.includes(one.namespace), at: `a.yaml:${one.name}` })),
  );

/** What an app in some form left behind in a namespace, or part of it. */
const trace = fc.record({
  app: name,
  namespace,
  hash,
  inject: fc.boolean(),
  ready: fc.boolean(),
  missing: fc.subarray(['Service blue/api', 'ConfigMap red/x']),
  exported: fc.option(mode, { nil: undefined }),
});

export const appsState: fc.Arbitrary<AppsState> = fc
  .uniqueArray(trace, { selector: ({ app, namespace: of }) => `${app}/${of}`, maxLength: 5 })
  .map((traces) =>
    withTypes({
      marks: traces.map(({ app, namespace: of, hash: form, inject, missing }) => ({
        ...{ app, namespace: of, hash: form, inject },
        missing,
      })),
      workloads: traces.map(({ app, namespace: of, ready }) => ({
        ...{ app, namespace: of, ready },
        kind: 'deployment' as const,
        name: app,
      })),
      services: traces.flatMap(({ app, namespace: of, exported }) =>
        SERVICES.map((service) => ({ app, namespace: of, name: service, ...(exported && { exported }) })),
      ),
    }),
  );

const withTypes = (state: Omit<AppsState, 'types'>): AppsState => ({
  ...state,
  types: Object.fromEntries([...new Set(state.marks.map(({ app }) => app))].map((app) => [app, ['services']])),
});

/** What is there once a change was made. */
export function afterChange(state: AppsState, change: AppChange): AppsState {
  const { marks, workloads, services } = state;
  const without = <T extends { readonly app: string }>(list: readonly T[], app: string): T[] =>
    list.filter((one) => one.app !== app);
  switch (change.action) {
    case 'apply': {
      const { name: app, namespace: of, hash: form, inject } = change.app;
      const kept = marks.filter((mark) => mark.app !== app || !new Set([...change.left, of]).has(mark.namespace));
      const mark: AppMark = { app, namespace: of, hash: form, inject, missing: [] };
      const there = services.filter((one) => one.app === app && one.namespace === of);
      const service = (wanted: string) =>
        there.find((one) => one.name === wanted) ?? { app, namespace: of, name: wanted };
      // What is no longer in it goes only where its type is known.
      const stale = change.stale.length > 0 ? [] : services.filter((one) => one.app === app && one.namespace !== of);
      return withTypes({
        marks: [...kept, mark],
        workloads: [...without(workloads, app), { app, namespace: of, kind: 'deployment', name: app, ready: true }],
        services: [...without(services, app), ...stale, ...SERVICES.map(service)],
      });
    }
    case 'wait':
      return {
        ...state,
        workloads: workloads.map((one) => (one.app === change.app.name ? { ...one, ready: true } : one)),
      };
    case 'export':
    case 'withdraw': {
      const [app, of, service] =
        change.action === 'export'
          ? [change.app.name, change.app.namespace, change.export.service]
          : [change.name, change.service.namespace, change.service.name];
      const found = services.filter((one) => one.app === app && one.namespace === of && one.name === service);
      if (found.length !== 1) throw new Error(`no service ${of}/${service} of ${app}`);
      const exported = change.action === 'export' ? change.export.mode : undefined;
      const rest = services.filter((one) => !found.includes(one));
      return { ...state, services: [...rest, { app, namespace: of, name: service, ...(exported && { exported }) }] };
    }
    case 'remove':
      return withTypes({
        marks: marks.filter((mark) => mark.app !== change.name || !change.namespaces.includes(mark.namespace)),
        ...(change.types.length > 0
          ? { workloads: without(workloads, change.name), services: without(services, change.name) }
          : { workloads, services }),
      });
  }
}
