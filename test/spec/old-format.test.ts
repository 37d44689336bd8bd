import { describe, expect, test } from 'vitest';
import { load, problemsIn } from './spec-folder.ts';

const old = (name: string, spec: string) =>
  `apiVersion: sma.buoyant.io/v1alpha1\nkind: SMA-cluster\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
const problems = (spec: string) => problemsIn({ 'a/sma.yaml': old('a', spec) });

describe('what the keys become', () => {
  test.each([
    ['51/5', '10.5.1.0/24', '10.5.2.0/24', 'fd00:51:1::/64', 'fd00:51:2::/112'],
    ['CD/D', '10.13.1.0/24', '10.13.2.0/24', 'fd00:cd:1::/64', 'fd00:cd:2::/112'],
    ['01/1', '10.1.1.0/24', '10.1.2.0/24', 'fd00:1:1::/64', 'fd00:1:2::/112'],
    ['c0/c', '10.12.1.0/24', '10.12.2.0/24', 'fd00:c0:1::/64', 'fd00:c0:2::/112'],
  ])('subnet %s', async (subnet, pods4, services4, pods6, services6) => {
    const { lab } = await load({ 'a/sma.yaml': old('a', `{subnet: ${subnet}, v4Enabled: true, v6Enabled: true}`) });
    const at = 'labs/a/sma.yaml:4:16';
    expect(lab.clusters[0]).toMatchObject({ provider: 'kind', ipFamily: 'dual' });
    expect(lab.clusters[0]?.network).toMatchObject({
      pods: [
        { cidr: pods4, at },
        { cidr: pods6, at },
      ],
      services: [
        { cidr: services4, at },
        { cidr: services6, at },
      ],
      loadBalancer: [],
    });
  });

  test('one family, provider, group and zone; and notes', async () => {
    const { lab, notes } = await load({
      'smiley/sma.yaml': old('smiley', '{subnet: 51/5, v4Enabled: true, provider: k3d, group: face, zone: zone-east}'),
    });
    expect(lab.clusters[0]).toMatchObject({ ipFamily: 'ipv4', provider: 'k3d', group: 'face', zone: 'zone-east' });
    expect(notes).toEqual([
      'labs/smiley/sma.yaml: subnet 51/5 became network.pods 10.5.1.0/24 and network.services 10.5.2.0/24 (one node); the pool is planned from the network',
      'labs/smiley/sma.yaml: v4Enabled true and v6Enabled false became ipFamily ipv4',
    ]);
  });

  test('the digits 0 and F are noted', async () => {
    const files = {
      'a/sma.yaml': old('a', '{subnet: 00/0, v4Enabled: true}'),
      'f.yaml': old('f', '{subnet: FF/F, v6Enabled: true}'),
    };
    const { lab, notes } = await load(files);
    expect(lab.clusters.map(({ network }) => network.pods[0]?.cidr)).toEqual(['10.0.1.0/24', 'fd00:ff:1::/64']);
    expect(notes.filter((note) => note.includes('digit'))).toEqual([
      expect.stringMatching(/^labs\/a\/sma\.yaml: digit 0 /),
      expect.stringMatching(/^labs\/f\.yaml: digit F /),
    ]);
  });

  test('the defaults of lab.yaml hold for it too', async () => {
    const files = {
      'a/sma.yaml': old('a', '{subnet: 51/5, v4Enabled: true}'),
      'lab.yaml': 'kind: Lab\nspec: {defaults: {zone: z}}\n',
    };
    expect((await load(files)).lab.clusters[0]?.zone).toBe('z');
  });
});

describe('problems', () => {
  test.each([
    ['{subnet: 51/5, v4enabled: true}', 'labs/a/sma.yaml:4:22: unknown key "v4enabled" (did you mean "v4Enabled"?)'],
    ['{v4Enabled: true}', 'labs/a/sma.yaml:4:1: subnet is missing'],
    [
      '{subnet: 51/5}',
      'labs/a/sma.yaml:4:7: neither v4Enabled nor v6Enabled is true (the old format has both off by default)',
    ],
    [
      '{subnet: S1/5, v4Enabled: true}',
      'labs/a/sma.yaml:4:16: subnet: expected two hexadecimal digits, a slash and one more, found "S1/5"',
    ],
    [
      '{subnet: 5/1, v4Enabled: true}',
      'labs/a/sma.yaml:4:16: subnet: expected two hexadecimal digits, a slash and one more, found "5/1"',
    ],
    [
      '{subnet: 51/1F, v4Enabled: true}',
      'labs/a/sma.yaml:4:16: subnet: expected two hexadecimal digits, a slash and one more, found "51/1F"',
    ],
    [
      '{subnet: 51, v4Enabled: true}',
      'labs/a/sma.yaml:4:16: subnet: expected text, found number 51 (put it in quotes)',
    ],
    ['{subnet: 51/5, v4Enabled: yes}', 'labs/a/sma.yaml:4:33: v4Enabled: expected true or false, found "yes"'],
  ])('%s', async (spec, problem) => {
    expect(await problems(spec)).toEqual([problem]);
  });

  test('the same subnet twice', async () => {
    const spec = '{subnet: 01/1, v4Enabled: true}';
    expect(await problemsIn({ 'a/sma.yaml': old('a', spec), 'b/sma.yaml': old('b', spec) })).toEqual([
      'labs/b/sma.yaml:4:16: pods of b: 10.1.1.0/24 overlaps 10.1.1.0/24 (pods of a, labs/a/sma.yaml:4:16)',
      'labs/b/sma.yaml:4:16: services of b: 10.1.2.0/24 overlaps 10.1.2.0/24 (services of a, labs/a/sma.yaml:4:16)',
    ]);
  });
});
