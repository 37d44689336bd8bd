import { expect, it } from 'vitest';
import { renderStep } from '../../src/report/render-step.ts';

it('a query is asked in its environment', () => {
  const base = { id: 'a/credentials', title: 't', clusters: ['a'], needs: [], timeout: 5, capture: 'a/kubeconfig' };
  const argv = ['kind', 'get', 'kubeconfig'];
  expect(renderStep({ ...base, kind: 'query', argv })).toEqual(['a_kubeconfig=$(kind get kubeconfig)']);
  expect(renderStep({ ...base, kind: 'query', argv, env: { K: 'a b' } })).toEqual([
    "a_kubeconfig=$(K='a b' kind get kubeconfig)",
  ]);
});
