import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  clusterText,
  labText,
  load,
  loadCluster,
  makeFolder,
  problemsIn,
  problemsOfLab,
  problemsOfSpec,
} from './spec-folder.ts';

describe('one cluster', () => {
  test.each([
    ['{network: {pods: "fd00:10::/56"}}', '24: pods: fd00:10::/56 is IPv6, but ipFamily is ipv4'],
    ['{ipFamily: ipv6, network: {services: 10.96.0.0/16}}', '44: services: 10.96.0.0/16 is IPv4, but ipFamily is ipv6'],
    ['{network: {loadBalancer: "fd00::1-fd00::9"}}', '32: loadBalancer: fd00::1-fd00::9 is IPv6, but ipFamily is ipv4'],
    ['{network: {pods: [10.4.0.0/16, 10.5.0.0/16]}}', '38: pods: a second IPv4 range'],
    ['{ipFamily: dual, network: {pods: [10.4.0.0/16, 10.5.0.0/16]}}', '54: pods: a second IPv4 range'],
    [
      '{nodes: {workers: 1}, network: {pods: 10.4.0.0/24}}',
      '45: pods: 10.4.0.0/24 has room for one node of /24, but the cluster has 2 (at most /23',
    ],
    [
      '{nodes: {workers: 4}, network: {pods: 10.4.0.0/22}}',
      '45: pods: 10.4.0.0/22 has room for 4 nodes of /24, but the cluster has 5 (at most /21',
    ],
    [
      '{network: {pods: 10.4.0.0/30}}',
      '24: pods: 10.4.0.0/30 has room for no node of /24, but the cluster has 1 (at most /24',
    ],
    [
      '{network: {pods: 11.0.0.0/8, nodeMask: 25}}',
      '24: pods: 11.0.0.0/8 is too large for Kubernetes to share out among nodes (at least /9 for nodes of /25)',
    ],
    [
      '{ipFamily: ipv6, network: {pods: "fd00:10::/32"}}',
      '40: pods: fd00:10::/32 is too large for Kubernetes to share out among nodes (at least /48 for nodes of /64)',
    ],
    ['{network: {services: 10.96.0.0/29}}', '28: services: 10.96.0.0/29 has fewer than 10 addresses'],
    ['{network: {services: 10.0.0.0/11}}', '28: services: 10.0.0.0/11 is larger than Kubernetes allows (at least /12)'],
    [
      '{ipFamily: ipv6, network: {services: "fd00:96::/64"}}',
      '44: services: fd00:96::/64 is larger than Kubernetes allows (at least /108)',
    ],
    ['{ipFamily: dual, network: {nodeMask: 24}}', '44: nodeMask: a dual-stack cluster has two (write [24, 64])'],
    ['{network: {nodeMask: 64}}', '28: nodeMask: expected 8 to 28 for ipv4, found 64'],
    ['{ipFamily: ipv6, network: {nodeMask: 24}}', '44: nodeMask: expected 32 to 124 for ipv6, found 24'],
    ['{k3d: {}}', "8: k3d: the cluster's provider is kind (leave the block out, or set provider to k3d)"],
    ['{provider: k3d, ipFamily: ipv6}', '33: ipFamily: k3d cannot make an IPv6-only cluster'],
    [
      '{network: {pods: 10.4.0.0/16, services: 10.4.128.0/20}}',
      '47: services of a: 10.4.128.0/20 overlaps 10.4.0.0/16 (pods of a, labs/a.yaml:4:24)',
    ],
    [
      '{network: {pods: 172.28.0.0/16, loadBalancer: 172.28.1.0/28}}',
      '53: loadBalancer of a: 172.28.1.0/28 overlaps 172.28.0.0/16 (pods of a',
    ],
    [
      '{ports: ["80:80", "80:81", "80:80/udp"]}',
      '25: host port 80/tcp is taken already (a has it at labs/a.yaml:4:16)',
    ],
  ])('%s', async (spec, problem) => {
    const problems = await problemsOfSpec(spec);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`labs/a.yaml:4:${problem}`);
  });

  test.each([
    '{ipFamily: dual, network: {pods: ["fd00:10::/56"], nodeMask: [24, 64]}}',
    '{ipFamily: ipv6, network: {pods: "fd00:10::/48", nodeMask: 64, services: "fd00:96::/108"}}',
    '{nodes: {workers: 1}, network: {pods: 10.4.0.0/24, nodeMask: 25, services: 10.96.0.0/28}}',
    '{network: {loadBalancer: [172.28.1.0/28, 172.28.2.0-172.28.2.9]}}',
    '{ports: ["127.0.0.1:80:80", "127.0.0.2:80:80", "[::]:80:80", "80:80/udp"]}',
  ])('%s is fine', async (spec) => {
    expect(await loadCluster(spec)).toBeDefined();
  });
});

describe('between clusters', () => {
  test.each([
    [
      'two of one name',
      { 'a.yaml': clusterText('x'), 'b.yaml': clusterText('x', '{gruop: y}') },
      'labs/b.yaml:3:18: a second cluster named "x" (the first is at labs/a.yaml:3:18)',
    ],
    [
      'pod ranges that overlap',
      {
        'a.yaml': clusterText('a', '{network: {pods: 10.4.0.0/15}}'),
        'b.yaml': clusterText('b', '{network: {pods: 10.5.0.0/16}}'),
      },
      'labs/b.yaml:4:24: pods of b: 10.5.0.0/16 overlaps 10.4.0.0/15 (pods of a, labs/a.yaml:4:24)',
    ],
    [
      'pools that overlap',
      {
        'a.yaml': clusterText('a', '{network: {loadBalancer: 172.28.0.1-172.28.0.20}}'),
        'b.yaml': clusterText('b', '{network: {loadBalancer: 172.28.0.16/28}}'),
      },
      'labs/b.yaml:4:32: loadBalancer of b: 172.28.0.16/28 overlaps 172.28.0.1-172.28.0.20 (loadBalancer of a, labs/a.yaml:4:32)',
    ],
    [
      'the same host port',
      { 'a.yaml': clusterText('a', '{ports: ["80:80"]}'), 'b.yaml': clusterText('b', '{ports: ["127.0.0.1:80:80"]}') },
      'labs/b.yaml:4:16: host port 80/tcp is taken already (a has it at labs/a.yaml:4:16)',
    ],
  ])('%s', async (_, files, problem) => {
    expect(await problemsIn(files)).toContain(problem);
  });

  test('a range in the defaults is the same for all clusters', async () => {
    expect(await problemsOfLab('{defaults: {network: {pods: 10.4.0.0/16}}}', { a: '{}', b: '{}' })).toEqual([
      'labs/lab.yaml:2:35: pods of b: 10.4.0.0/16 overlaps 10.4.0.0/16 (pods of a, labs/lab.yaml:2:35)',
    ]);
  });
});

describe('links and groups', () => {
  const clusters = { faces: '{group: face}', smiley: '{group: face}' };
  test.each([
    ['{links: [{from: fces, to: smiley}]}', '23: no cluster is named "fces" (did you mean "faces"?)'],
    ['{links: [{from: faces, to: faces}]}', '16: a link from "faces" to itself'],
    [
      '{links: [{from: faces, to: smiley}, {from: faces, to: smiley, mode: gateway}]}',
      '43: a second link from "faces" to "smiley" (the first is at labs/lab.yaml:2:16)',
    ],
  ])('%s', async (spec, problem) => {
    expect(await problemsOfLab(spec, clusters)).toEqual([`labs/lab.yaml:2:${problem}`]);
  });

  test('a group without members is no fault, but worth a word', async () => {
    const lab = { 'lab.yaml': labText('{groups: {fase: {}, face: {}}}'), 'a.yaml': clusterText('a', '{group: face}') };
    const text = 'no cluster is in group "fase"';
    expect((await load(lab)).notes).toEqual([`warning: labs/lab.yaml:2:17: ${text} (did you mean "face"?)`]);
    const defaultsFile = join(makeFolder(lab), 'lab.yaml');
    expect((await load({ 'a.yaml': lab['a.yaml'] }, { defaultsFile })).notes).toEqual([]);
  });

  test('a cluster that is wrong in another way is there all the same', async () => {
    const problems = await problemsOfLab('{links: [{from: a, to: b}], groups: {face: {}}}', {
      a: '{group: face, x: 1}',
      b: '{}',
    });
    expect(problems).toEqual([expect.stringMatching(/^labs\/a\.yaml:4:21: unknown key "x"/)]);
  });

  test('nothing is said about names when a file cannot be looked at', async () => {
    const files = {
      'a.yaml': clusterText('a'),
      'b/cluster.yaml/x': '',
      'lab.yaml': labText('{links: [{from: a, to: b}]}'),
    };
    expect(await problemsIn(files)).toEqual(['labs/b/cluster.yaml: not a regular file']);
  });

  test('nothing is said about names when a file cannot be read', async () => {
    const lab = 'kind: Lab\nspec: {links: [{from: a, to: b}], groups: {face: {}}}\n';
    expect(await problemsIn({ 'a.yaml': clusterText('a'), 'b.yaml': 'a: [', 'lab.yaml': lab })).toEqual([
      expect.stringMatching(/^labs\/b\.yaml:1:5: /),
    ]);
  });
});

describe('the network', () => {
  const pool = (range: string) => ({ a: `{network: {loadBalancer: ${range}}}` });
  test.each([
    ['{network: {subnets: [172.28.0.0/16, 172.29.0.0/16]}}', {}, 'lab.yaml:2:43: a second IPv4 subnet'],
    [
      '{network: {subnets: 172.28.0.0/30}}',
      {},
      'lab.yaml:2:27: subnets: 172.28.0.0/30 has no room for a gateway, a node and a pool (at least /29)',
    ],
    [
      '{network: {subnets: [172.28.0.0/29, "fd00:1ab::/126"]}}',
      {},
      'lab.yaml:2:43: subnets[1]: fd00:1ab::/126 has no room for a gateway, a node and a pool (at least /125)',
    ],
    [
      '{ranges: {networks: {v4: 172.28.0.0/30}}}',
      {},
      'lab.yaml:2:32: v4: 172.28.0.0/30 has no room for a gateway, a node and a pool (at least /29)',
    ],
    [
      '{network: {subnets: 172.28.0.0/16, ipRange: 172.29.0.0/24}}',
      {},
      "lab.yaml:2:51: ipRange: 172.29.0.0/24 is outside the network's subnet 172.28.0.0/16",
    ],
    [
      '{network: {ipRange: 172.29.0.0/24}}',
      {},
      'lab.yaml:2:27: ipRange: 172.29.0.0/24 needs the subnet that it is a part of',
    ],
    [
      '{network: {subnets: 172.28.0.0/16}}',
      pool('172.29.0.0/28'),
      "a.yaml:4:32: loadBalancer of a: 172.29.0.0/28 is outside the network's subnet 172.28.0.0/16 (labs/lab.yaml:2:27)",
    ],
    [
      '{network: {subnets: 172.28.0.0/16, ipRange: 172.28.0.0/24}}',
      pool('172.28.0.16/28'),
      'a.yaml:4:32: loadBalancer of a: 172.28.0.16/28 overlaps 172.28.0.0/24 (ipRange',
    ],
    [
      '{network: {subnets: 10.4.0.0/16}}',
      { a: '{network: {pods: 10.4.0.0/17}}' },
      'lab.yaml:2:27: network: 10.4.0.0/16 overlaps 10.4.0.0/17 (pods of a',
    ],
  ])('%s', async (spec, clusters, problem) => {
    const problems = await problemsOfLab(spec, { a: '{}', ...clusters });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`labs/${problem}`);
  });
});

describe('a lab.yaml with a mistake in it', () => {
  const cluster = { a: '{network: {pods: "fd00:10::/56"}, mesh: {certificates: {issuerLifetime: 15y}}}' };
  const wrong = 'pods: fd00:10::/56 is IPv6, but ipFamily is ipv4';
  const fits = 'mesh: {certificates: {anchorLifetime: 20y}}, defaults: {ipFamily: dual}';

  test('is held to the rules in the rest, and so are the clusters', async () => {
    const lab = `{${fits}, links: [{from: a, to: a}], ranges: {pdos: {}}, network: {subnets: 172.28.0.0/16}}`;
    const pool = '{ipFamily: ipv6, network: {loadBalancer: 172.29.0.0/28}}';
    expect(await problemsOfLab(lab, { ...cluster, b: pool })).toEqual([
      expect.stringContaining('labs/b.yaml:4:48: loadBalancer: 172.29.0.0/28 is IPv4, but ipFamily is ipv6'),
      expect.stringContaining("labs/b.yaml:4:48: loadBalancer of b: 172.29.0.0/28 is outside the network's subnet"),
      expect.stringContaining('a link from "a" to itself'),
      expect.stringContaining('unknown key "pdos"'),
    ]);
  });

  test.each([
    ['its text', 'kind: Lab\nspec: [', 1],
    ['a key that may mean defaults', labText('{defualts: {ipFamily: dual}}'), 1],
    ['its mesh', labText('{defaults: {ipFamily: dual}, mesh: {certificates: {anchorLifetime: long}}}'), 1],
    ['spec', 'kind: Lab\nsepc: {defaults: {ipFamily: dual}}\n', 1],
  ])('in %s: clusters are not blamed for what it would have given them', async (_, lab, count) => {
    const problems = await problemsIn({ 'a.yaml': clusterText('a', cluster.a), 'lab.yaml': lab });
    expect(problems).toHaveLength(count);
    expect(problems[0]).toMatch(/^labs\/lab\.yaml:/);
  });

  test('clusters are told from each other all the same', async () => {
    const pods = '{network: {pods: 10.4.0.0/16}}';
    const files = { 'a.yaml': clusterText('a', pods), 'b.yaml': clusterText('b', pods), 'lab.yaml': 'a: [' };
    expect(await problemsIn(files)).toEqual([
      expect.stringContaining('pods of b: 10.4.0.0/16 overlaps'),
      expect.stringMatching(/^labs\/lab\.yaml:1:5: /),
    ]);
  });

  test('where it is right, the clusters are', async () => {
    expect(await problemsOfLab('{links: [{from: a, to: a}]}', cluster)).toContainEqual(expect.stringContaining(wrong));
  });
});
