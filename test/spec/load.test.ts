import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { labUid, loadLab } from '../../src/spec/load.ts';
import {
  clusterText,
  labText,
  load,
  loadCluster,
  loadOnly,
  makeFolder,
  problemsOf,
  problemsOfLab,
} from './spec-folder.ts';

const MINIMAL = 'apiVersion: lab/v1alpha1\nkind: Cluster\nmetadata: {name: smiley}\n';

test('the workshop in clusters/', async () => {
  const { lab } = loadLab({ dir: 'clusters', cwd: join(import.meta.dirname, '../..') });
  expect(lab.name).toBe('practical');
  expect(lab.clusters.map(({ name }) => name)).toEqual([
    'cdn',
    'color',
    'color-b',
    'faces',
    'faces-dr',
    'smiley',
    'smiley-dr',
  ]);
  expect(lab.groups).toEqual({ dr: { mode: 'flat' }, face: { mode: 'flat' } });
  expect(lab.links).toContainEqual({ from: 'cdn', to: 'faces', mode: 'gateway', at: 'clusters/lab.yaml:12:7' });
});

test('the smallest spec gets every default', async () => {
  const lab = await loadOnly({ 'smiley.yaml': MINIMAL });
  expect(lab).toEqual({
    name: 'labs',
    uid: expect.stringMatching(/^[0-9a-f]{12}$/),
    dir: 'labs',
    path: expect.stringMatching(/^\/.*\/labs$/),
    network: { name: 'lab-labs', adopt: false, subnets: [], at: 'labs' },
    ranges: {
      networks: { v4: '172.28.0.0/14', v6: 'fd00:1ab::/48' },
      pods: { v4: '10.0.0.0/9', v6: 'fd00:10::/32' },
      services: { v4: '10.128.0.0/9', v6: 'fd00:96::/64' },
      loadBalancer: { size: 16 },
    },
    loadBalancer: { addon: 'metallb', manifest: { location: expect.stringMatching(/^https:/) } },
    groups: {},
    mesh: { trustDomain: 'cluster.local', anchor: { lifetime: 3650 * 86_400 } },
    links: [],
    checks: [],
    workloads: [],
    clusters: [
      {
        name: 'smiley',
        at: 'labs/smiley.yaml:3:18',
        provider: 'kind',
        ipFamily: 'ipv4',
        nodes: { servers: 1, workers: 0 },
        kubernetes: {},
        network: {
          pods: [],
          services: [],
          loadBalancer: [],
          nodeMask: [24, 64],
          domain: 'cluster.local',
          proxyMode: 'iptables',
          preserveSourceIP: true,
        },
        ports: [],
        images: [],
        providerConfig: {},
        mesh: { name: 'none' },
        apps: [],
      },
    ],
  });
});

test('everything that a cluster can say', async () => {
  const cluster = await loadCluster(`{
    provider: kind, group: face, zone: zone-east, ipFamily: dual, nodes: {servers: 3, workers: 2},
    kubernetes: {image: "kindest/node:v1.34.0@sha256:0123", version: v1.30},
    network: {pods: [10.4.0.0/16, "fd00:10:4:0::/56"], services: [10.96.0.0/16], loadBalancer: 172.28.255.1-172.28.255.9,
      nodeMask: [25, 66], domain: lab.example, proxyMode: nftables},
    ports: ["8080:80", "127.0.0.1:8081:80", "[::1]:8081:80", "5353:53/udp"],
    images: [my/app:dev], kind: {featureGates: {Some: true}}}`);
  expect(cluster).toMatchObject({
    group: 'face',
    zone: 'zone-east',
    kubernetes: { image: 'kindest/node:v1.34.0@sha256:0123', version: '1.30' },
    network: {
      pods: [
        { cidr: '10.4.0.0/16', at: 'labs/a.yaml:7:22' },
        { cidr: 'fd00:10:4::/56', at: 'labs/a.yaml:7:35' },
      ],
      loadBalancer: [{ cidr: '172.28.255.1-172.28.255.9' }],
      nodeMask: [25, 66],
    },
    ports: [
      { host: 8080, node: 80, protocol: 'tcp' },
      { host: 8081, node: 80, protocol: 'tcp', listen: '127.0.0.1' },
      { host: 8081, node: 80, protocol: 'tcp', listen: '::1' },
      { host: 5353, node: 53, protocol: 'udp' },
    ],
    providerConfig: { featureGates: { Some: true } },
  });
});

test('an unquoted version is the text that was typed', async () => {
  expect((await loadCluster('{kubernetes: {version: 1.30, image: x}}')).kubernetes.version).toBe('1.30');
});

test('clusters from files, documents and folders, sorted by name; another lab is not entered', async () => {
  const { lab } = await load({
    'two.yml': `${clusterText('b')}---\n${clusterText('a')}---\n`,
    'c/cluster.yaml': clusterText('c'),
    'c/manifests.yaml': 'kind: Deployment\n',
    'other/lab.yaml': labText('{}'),
    'other/cluster.yaml': clusterText('a'),
    'manifests/deployment.yaml': 'kind: Deployment\n',
    '.hidden.yaml': '[',
    'README.md': '# Clusters',
  });
  expect(lab.clusters.map(({ name, at }) => `${name} ${at}`)).toEqual([
    'a labs/two.yml:8:18',
    'b labs/two.yml:3:18',
    'c labs/c/cluster.yaml:3:18',
  ]);
});

test('the lab is frozen and survives JSON', async () => {
  const lab = await loadOnly({
    'a.yaml': clusterText('a', '{nodes: {workers: -0}, kind: {nodes: [{labels: {x: y}}]}}'),
    'lab.yaml': labText('{groups: {}, links: []}'),
  });
  expect(JSON.parse(JSON.stringify(lab))).toStrictEqual(lab);
  const check = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    expect(Object.isFrozen(value)).toBe(true);
    Object.values(value).forEach(check);
  };
  check(lab);
});

describe('defaults', () => {
  test('maps merge, lists and scalars are replaced, places stay', async () => {
    const cluster = await loadCluster(
      '{nodes: {workers: 2}, images: [b], network: {pods: 10.5.0.0/16}}',
      '{defaults: {nodes: {servers: 3, workers: 1}, images: [a, c], network: {pods: [10.4.0.0/16], services: 10.96.0.0/16}}}',
    );
    expect(cluster).toMatchObject({ nodes: { servers: 3, workers: 2 }, images: ['b'] });
    expect(cluster.network.pods).toEqual([{ cidr: '10.5.0.0/16', at: 'labs/a.yaml:4:58' }]);
    expect(cluster.network.services).toEqual([
      { cidr: '10.96.0.0/16', at: expect.stringMatching(/^labs\/lab\.yaml:2:/) },
    ]);
  });

  test('each cluster takes the block of its own provider', async () => {
    const defaults = '{defaults: {kind: {featureGates: {A: true}}, k3d: {}}}';
    expect((await loadCluster('{}', defaults)).providerConfig).toEqual({ featureGates: { A: true } });
    expect((await loadCluster('{provider: k3d}', defaults)).providerConfig).toEqual({});
  });

  test("the user's own lab.yaml lies under the lab's", async () => {
    const own = makeFolder({
      'mine.yaml': `kind: Lab\nmetadata: {name: mine}\nspec: {network: {name: mine}, ranges: {loadBalancer: {size: 8}}, loadBalancer: {manifest: m.yaml}}\n`,
      'm.yaml': '',
    });
    const files = { 'a.yaml': clusterText('a'), 'lab.yaml': labText('{network: {adopt: kind}}') };
    const { lab } = await load(files, { defaultsFile: join(own, 'mine.yaml') });
    expect(lab).toMatchObject({ name: 'labs', network: { name: 'kind', adopt: true } });
    expect(lab.ranges.loadBalancer).toEqual({ size: 8, sizeAt: `${own}/mine.yaml:3:61` });
    expect(lab.loadBalancer.manifest).toEqual({
      location: join(own, 'm.yaml'),
      sha256: expect.stringMatching(/^e3b0c442/),
    });
    expect(
      (await load({ 'a.yaml': clusterText('a') }, { defaultsFile: join(own, 'mine.yaml') })).lab.network.name,
    ).toBe('mine');
  });

  test("the user's own lab.yaml is checked too", async () => {
    const files = { 'a.yaml': clusterText('a') };
    expect(await problemsOf(load(files, { defaultsFile: '/nowhere/lab.yaml' }))).toEqual([
      '/nowhere/lab.yaml: no such file',
    ]);
    const own = makeFolder({ 'mine.yaml': labText('{rnages: {}}') });
    expect(await problemsOf(load(files, { defaultsFile: join(own, 'mine.yaml') }))).toEqual([
      `${own}/mine.yaml:2:8: unknown key "rnages" (did you mean "ranges"?)`,
    ]);
  });
});

describe('the manifest', () => {
  test('is a file beside lab.yaml', async () => {
    const { lab } = await load({
      'a.yaml': clusterText('a'),
      'lab.yaml': labText('{loadBalancer: {manifest: m/lb.yaml}}'),
      'm/lb.yaml': 'x',
    });
    expect(lab.loadBalancer.manifest).toEqual({
      location: expect.stringMatching(/^\/.*\/labs\/m\/lb\.yaml$/),
      sha256: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
    });
  });

  test.each([
    ['missing.yaml', '"missing.yaml": no such file'],
    ['.', '".": not a regular file'],
    ['http://example.com/x', 'expected a file or an https URL, found "http://example.com/x"'],
  ])('%s', async (manifest, problem) => {
    expect(await problemsOfLab(`{loadBalancer: {manifest: ${manifest}}}`)).toEqual([
      `labs/lab.yaml:2:33: manifest: ${problem}`,
    ]);
  });
});

test.each([
  ['My Labs.2', 'my-labs-2'],
  ['2026-kubecon', 'kubecon'],
  ['123', 'lab'],
  [`${'x'.repeat(31)}-y`, 'x'.repeat(31)],
])('the folder %s makes the name %s', async (folder, name) => {
  const cwd = makeFolder({ [`${folder}/a.yaml`]: clusterText('a') });
  expect(loadLab({ dir: folder, cwd }).lab.name).toBe(name);
});

describe('the uid', () => {
  test('belongs to the real folder, also when it is gone', () => {
    const cwd = makeFolder();
    mkdirSync(join(cwd, 'labs/one'), { recursive: true });
    symlinkSync('labs', join(cwd, 'link'));
    const uid = labUid('labs/one', cwd);
    expect(labUid('../one', join(cwd, 'labs/one'))).toBe(uid);
    expect(labUid('link/one/', cwd)).toBe(uid);
    expect(labUid('labs/one', cwd, 'machine')).not.toBe(uid);
    renameSync(join(cwd, 'labs/one'), join(cwd, 'labs/two'));
    expect(labUid('labs/two', cwd)).not.toBe(uid);
    expect(labUid('link/one', cwd)).toBe(uid);
    rmSync(join(cwd, 'labs'), { recursive: true });
    expect(labUid('labs/one', cwd)).toBe(uid);
  });
});
