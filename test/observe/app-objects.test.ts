import { expect, it } from 'vitest';
import { connectApi } from '../../src/observe/api-client.ts';
import { findMissing, parseObjects } from '../../src/observe/app-objects.ts';
import { readApps } from '../../src/observe/apps.ts';
import { startFakeApi } from '../exec/fake-api.ts';

const LINES = [
  'v1 Service shop/web',
  'v1 Service other/web',
  'v1 ConfigMap shop/gone',
  'rbac.authorization.k8s.io/v1 ClusterRole /system:web',
  'example.lab/v1 Widget shop/one',
  'metrics.example/v1 Sample shop/one',
];
const list = (...items: { readonly name: string; readonly namespace?: string }[]) => ({
  items: items.map((metadata) => ({ metadata })),
});
const ANSWERS: Readonly<Record<string, unknown>> = {
  '/api/v1': {
    resources: [
      { name: 'services/status', kind: 'Service' },
      { name: 'services', kind: 'Service' },
      { name: 'configmaps', kind: 'ConfigMap' },
    ],
  },
  '/api/v1/services': list({ name: 'web', namespace: 'shop' }),
  '/api/v1/configmaps': list(),
  '/apis/rbac.authorization.k8s.io/v1': { resources: [{ name: 'clusterroles', kind: 'ClusterRole' }] },
  '/apis/rbac.authorization.k8s.io/v1/clusterroles': list({ name: 'system:web' }),
  '/apis/metrics.example/v1': new Error('the server of this group is away'),
};
const MISSING = ['Service other/web', 'ConfigMap shop/gone', 'Widget shop/one'];

const answer = (path: string) => ANSWERS[path.split('?')[0] ?? ''];

it('finds what is there no more: of a type that is gone, too, and nothing of a group that is away', async () => {
  const { kubeconfig, asked } = await startFakeApi(answer);
  const api = await connectApi(kubeconfig);
  const objects = parseObjects([...LINES, 'noise', '']);
  const missing = await findMissing(api, 'SELECTOR', objects);
  expect(objects.flatMap((one) => missing(one) ?? [])).toEqual(MISSING);
  expect(asked).toHaveLength(7);
  expect(asked).toContain('/api/v1/services?labelSelector=SELECTOR');
  api.close();
});

it('reads the mark of an app with its objects, and one without', async () => {
  const annotations = {
    'lab/app.web': ['abc UID', ...LINES].join('\n'),
    'lab/app.old': 'abc UID',
    'lab/app.foreign': 'abc ANOTHER',
    other: 'x',
  };
  const namespaces = { items: [{ metadata: { name: 'shop', annotations } }] };
  const { kubeconfig } = await startFakeApi((path) => (path === '/api/v1/namespaces' ? namespaces : answer(path)));
  const api = await connectApi(kubeconfig);
  const { marks } = await readApps(api, 'UID', new Map([['web', 'abc']]));
  const mark = { namespace: 'shop', hash: 'abc', inject: false };
  expect(marks).toEqual([
    { ...mark, app: 'web', missing: MISSING },
    { ...mark, app: 'old', missing: [] },
  ]);
  api.close();
});
