import { expect, it } from 'vitest';
import { connectApi } from '../../src/observe/api-client.ts';
import { startFakeApi } from '../exec/fake-api.ts';

it('asks again where a type was defined a moment ago', async () => {
  let store = false;
  const { kubeconfig, asked } = await startFakeApi(() => {
    const answer = store ? { items: [] } : new Error('storage is (re)initializing', { cause: 429 });
    store = true;
    return answer;
  });
  const api = await connectApi(kubeconfig);
  expect(await api.get('/apis/x/v1/things')).toEqual({ items: [] });
  expect(asked).toHaveLength(2);
  api.close();
});

it('takes any other word for what it is', async () => {
  const { kubeconfig } = await startFakeApi((path) => (path === '/none' ? undefined : new Error('no', { cause: 403 })));
  const api = await connectApi(kubeconfig);
  expect(await api.get('/none')).toBeUndefined();
  await expect(api.get('/secret')).rejects.toThrow('/secret answered 403');
  api.close();
});
