import { describe, expect, test } from 'vitest';
import { clusterText, load, problemsOf } from './spec-folder.ts';

const text = (name: string, spec: string): string =>
  `apiVersion: lab/v1alpha1\nkind: ExternalWorkload\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const LEAST = '{cluster: a, image: lab/probe, ports: [{port: 8080}]}';
const MESHED = 'kind: Lab\nspec: {mesh: {}}\n';
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

  test('is another container with SPIRE, and the same one with other images of it', async () => {
    const spireOf = async (words: string) => {
      const spec = `{cluster: a, image: lab/probe, ports: [{port: 8080}]${words}}`;
      const { lab } = await load({ 'lab.yaml': MESHED, 'a.yaml': clusterText('a'), 'w.yaml': text('w', spec) });
      return lab.workloads[0];
    };
    const asked = await spireOf(', spire: {useTrustAnchorKey: true}');
    expect(asked?.spire).toEqual({
      at: expect.stringMatching(/^labs\/w\.yaml:4:/),
      images: { server: 'ghcr.io/spiffe/spire-server:1.15.3', agent: 'ghcr.io/spiffe/spire-agent:1.15.3' },
    });
    const other = await spireOf(', spire: {useTrustAnchorKey: true, images: {proxy: my/proxy}}');
    expect(other?.spire?.images).toMatchObject({ proxy: 'my/proxy' });
    expect(other?.digest).toBe(asked?.digest);
    expect((await spireOf(''))?.digest).not.toBe(asked?.digest);
  });

  test.each([
    ['spire: {}', MESHED, 'useTrustAnchorKey is missing'],
    ['spire: {useTrustAnchorKey: false}', MESHED, 'useTrustAnchorKey: expected true, found boolean false'],
    ['spire: {useTrustAnchorKey: true}', 'kind: Lab\n', 'smiley.yaml:4:61: spire: a has no mesh'],
    [
      'spire: {useTrustAnchorKey: true}',
      `kind: Lab\nspec: {mesh: {certificates: {anchor: {certificate: ca.crt}}}}\n`,
      'spire: it signs with the key of the trust anchor, which is your own and not given (name it at labs/lab.yaml',
    ],
  ])('%s with %s', async (words, labText, problem) => {
    const spec = `{cluster: a, image: lab/probe, ports: [{port: 8080}], ${words}}`;
    expect(await problems(spec, { 'lab.yaml': labText })).toContainEqual(expect.stringContaining(problem));
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
