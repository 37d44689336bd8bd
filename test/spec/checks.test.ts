import { expect, test } from 'vitest';
import { clusterText, labText, loadOnly, problemsOfLab } from './spec-folder.ts';

test('a check with every default', async () => {
  const check = '{checks: [{name: web, from: a/shop/web-, request: "http://web/"}]}';
  const { checks } = await loadOnly({ 'a.yaml': clusterText('a'), 'lab.yaml': labText(check) });
  expect(checks).toEqual([
    {
      name: 'web',
      from: { cluster: 'a', namespace: 'shop', pod: 'web-' },
      request: 'http://web/',
      expect: { status: 200 },
      within: 30,
    },
  ]);
});

test.each([
  ['{name: x, from: b/shop, request: "http://web/"}', 'no cluster is named "b"'],
  ['{name: x, from: a, request: "http://web/"}', 'expected CLUSTER/NAMESPACE/POD'],
  ['{name: x, from: a/shop, request: "ftp://web/"}', 'expected an http URL'],
  ['{name: x, from: a/shop, request: "http://web/", run: rm}', 'unknown key "run"'],
  ['{name: x, from: a/shop, request: "http://web/", within: soon}', 'expected a time such as 30s or 2m'],
])('%s is wrong', async (check, expected) => {
  const [found, ...rest] = await problemsOfLab(`{checks: [${check}]}`);
  expect(rest).toEqual([]);
  expect(found).toContain(expected);
});
