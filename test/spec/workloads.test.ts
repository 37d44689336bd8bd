import { describe, expect, test } from 'vitest';
import { clusterText, load, problemsOf } from './spec-folder.ts';

const text = (name: string, spec: string): string =>
  `apiVersion: lab/v1alpha1\nkind: ExternalWorkload\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const LEAST = '{cluster: a, image: lab/probe, ports: [{port: 8080}]}';
const problems = (spec: string, more: Readonly<Record<string, string>> = {}) =>
  problemsOf(load({ 'a.yaml': clusterText('a'), 'smiley.yaml': text('smiley', spec), ...more }));

describe('an external workload', () => {
  test('the smallest spec gets every default', async () => {
    const { lab } = await load({ 'a.yaml': clusterText('a'), 'smiley.yaml': text('smiley', LEAST) });
    expect(lab.workloads).toEqual([
      {
        name: 'smiley',
        at: 'labs/smiley.yaml:3:18',
        cluster: 'a',
        namespace: 'default',
        image: 'lab/probe',
        env: {},
        ports: [{ name: 'port-8080', port: 8080, protocol: 'TCP' }],
        labels: { app: 'smiley' },
        addresses: [],
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    ]);
  });

  test('is another container with other variables, and the same one with other labels', async () => {
    const digestOf = async (words: string) => {
      const spec = `{cluster: a, image: lab/probe, ports: [{port: 8080}], ${words}}`;
      const { lab } = await load({ 'a.yaml': clusterText('a'), 'w.yaml': text('w', spec) });
      return lab.workloads[0]?.digest;
    };
    expect(await digestOf('env: {A: 1, B: 2}')).toBe(await digestOf('env: {B: "2", A: "1"}, labels: {x: y}'));
    expect(await digestOf('env: {A: 1}')).not.toBe(await digestOf('env: {A: 2}'));
    expect(await digestOf('command: [serve]')).not.toBe(await digestOf(''));
  });

  test.each([
    ['{cluster: b, image: x, ports: [{port: 1}]}', 'no cluster is named "b"'],
    ['{cluster: a, ports: [{port: 1}]}', 'image is missing'],
    ['{cluster: a, image: x, ports: []}', 'ports: '],
    ['{cluster: a, image: x, ports: [{port: 70000}]}', 'port: '],
    ['{cluster: a, image: x, ports: [{port: 1}], identity: smiley}', 'identity: expected spiffe://'],
    [
      '{cluster: a, image: x, ports: [{port: 1}], addresses: nowhere}',
      'addresses: expected an address, found "nowhere"',
    ],
    [
      '{cluster: a, image: x, ports: [{port: 1}], addresses: [172.28.0.1, 172.28.0.2]}',
      'addresses: a second IPv4 address',
    ],
    ['{cluster: a, image: x, ports: [{port: 1}], prots: []}', 'unknown key "prots"'],
  ])('%s', async (spec, problem) => {
    expect(await problems(spec)).toContainEqual(expect.stringContaining(problem));
  });

  test('has a name of its own', async () => {
    expect(await problems(LEAST, { 'other.yaml': text('smiley', LEAST) })).toEqual([
      expect.stringMatching(
        /^labs\/smiley\.yaml:3:\d+: a second thing named "smiley": there is a workload of that name \(it is at labs\/other/,
      ),
    ]);
    expect(await problems(LEAST, { 'b.yaml': clusterText('smiley') })).toEqual([
      expect.stringContaining('a second thing named "smiley": there is a cluster of that name'),
    ]);
  });
});
