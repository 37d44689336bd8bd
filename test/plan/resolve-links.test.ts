import { describe, expect, test } from 'vitest';
import type { Lab } from '../../src/lab/lab.ts';
import type { ClusterMesh, DesiredLink } from '../../src/lab/mesh.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { type ClusterWords, cluster, lab, linkerd, observed } from './build-lab.ts';

const meshed = (name: string, words: ClusterWords = {}) => cluster(name, { mesh: linkerd, ...words });
const without: ClusterMesh = { name: 'none' };

function linksOf(declared: Lab): { links: string[]; warnings: readonly string[] } {
  const { links, warnings } = resolve(declared, observed());
  const text = ({ from, to, mode, why }: DesiredLink) => `${from}>${to} ${mode} (${why})`;
  return { links: links.map(text), warnings: warnings.filter((warning) => warning.includes('link')) };
}

describe('links', () => {
  test('all pairs of a group, both ways, in its mode', () => {
    const members = ['a', 'b', 'c'].map((name) => meshed(name, { group: 'face' }));
    const words = { groups: { face: { mode: 'federated' as const } } };
    expect(linksOf(lab([...members, meshed('d')], words)).links).toEqual([
      'a>b federated (group face)',
      'a>c federated (group face)',
      'b>a federated (group face)',
      'b>c federated (group face)',
      'c>a federated (group face)',
      'c>b federated (group face)',
    ]);
  });

  test('none in a group that is only routed, and none to clusters without a mesh', () => {
    const pair = [meshed('a', { group: 'g' }), meshed('b', { group: 'g' })];
    expect(linksOf(lab(pair, { groups: { g: { mode: 'routes-only' } } }))).toEqual({ links: [], warnings: [] });
    const bare = [meshed('a', { group: 'g' }), meshed('b', { group: 'g', mesh: without })];
    expect(linksOf(lab(bare, { groups: { g: { mode: 'flat' } } }))).toEqual({ links: [], warnings: [] });
  });

  test('an entry of links says it better than the group', () => {
    const pair = [meshed('a', { group: 'g' }), meshed('b', { group: 'g' })];
    const links = [{ from: 'b', to: 'a', mode: 'gateway' as const, at: 'lab.yaml:9:3' }];
    expect(linksOf(lab(pair, { groups: { g: { mode: 'flat' } }, links })).links).toEqual([
      'a>b flat (group g)',
      'b>a gateway (links (lab.yaml:9:3))',
    ]);
  });

  test('members without a common family: left out and said, unless the mode is gateway', () => {
    const pair = [meshed('a', { group: 'g' }), meshed('b', { group: 'g', ipFamily: 'ipv6' })];
    expect(linksOf(lab(pair, { groups: { g: { mode: 'flat' } } }))).toEqual({
      links: [],
      warnings: ['a (ipv4) and b (ipv6) share no address family: no flat link between them; a gateway link needs none'],
    });
    expect(linksOf(lab(pair, { groups: { g: { mode: 'gateway' } } })).links).toHaveLength(2);
    const links = [{ from: 'a', to: 'b', mode: 'gateway' as const, at: 'lab.yaml:9:3' }];
    expect(linksOf(lab(pair, { groups: { g: { mode: 'flat' } }, links }))).toEqual({
      links: ['a>b gateway (links (lab.yaml:9:3))'],
      warnings: [],
    });
  });

  test('an entry of links that cannot be, or not without routes, is said', () => {
    const clusters = [meshed('a'), meshed('b'), cluster('c'), cluster('d')];
    const link = (from: string, to: string, mode: 'flat' | 'gateway') => ({ from, to, mode, at: `${from}${to}` });
    const links = [link('a', 'b', 'flat'), link('b', 'a', 'gateway'), link('a', 'c', 'flat'), link('c', 'd', 'flat')];
    expect(linksOf(lab(clusters, { links }))).toEqual({
      links: ['a>b flat (links (ab))', 'b>a gateway (links (ba))'],
      warnings: [
        'a and b are in no common group, so nothing routes between their pods, which a flat link needs (ab)',
        'c has no mesh: no link from a to c (ac)',
      ],
    });
  });
});

test('certificates: one anchor, an issuer for each cluster with a mesh', () => {
  const mesh = { trustDomain: 'x.test', anchor: { lifetime: 1000 } };
  const { certificates } = resolve(lab([meshed('a'), cluster('b'), meshed('c')], { mesh }), observed());
  expect(certificates).toEqual({
    trustDomain: 'x.test',
    anchor: { name: 'root.linkerd.x.test', lifetime: 1000 },
    bundle: { file: 'certificates/bundle.crt' },
    issuers: ['a', 'c'].map((name) => ({
      cluster: name,
      name: 'identity.linkerd.x.test',
      lifetime: linkerd.issuerLifetime,
      files: {
        certificate: { file: `certificates/issuer-${name}.crt` },
        key: { file: `certificates/issuer-${name}.key` },
      },
    })),
  });
  expect(resolve(lab(['a']), observed()).certificates).toBeUndefined();
});
