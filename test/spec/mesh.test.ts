import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { LinkerdSpec } from '../../src/lab/mesh.ts';
import { loadLab } from '../../src/spec/load.ts';
import { clusterText, labText, load, loadCluster, loadOnly, makeFolder, problemsOfLab } from './spec-folder.ts';

const YEAR = 365 * 86_400;
const meshOf = async (spec: string, lab: string) => (await loadCluster(spec, lab)).mesh;

test('every default of a block', async () => {
  expect(await meshOf('{}', '{mesh: {}}')).toEqual({
    name: 'linkerd',
    issuerLifetime: YEAR,
    binary: 'linkerd',
    gatewayAPI: { manifest: { location: expect.stringMatching(/^https:.*v1\.2\.1\/standard-install\.yaml$/) } },
    values: {},
    multicluster: { values: {} },
    env: [],
  } satisfies LinkerdSpec);
});

describe('which mesh a cluster has', () => {
  test.each([
    ['{}', '{}', 'none'],
    ['{}', '{mesh: none}', 'none'],
    ['{}', '{mesh: linkerd}', 'linkerd'],
    ['{}', '{mesh: {version: edge-26.8.3}}', 'linkerd'],
    ['{mesh: none}', '{mesh: {}}', 'none'],
    ['{mesh: {name: none}}', '{mesh: {version: edge-26.8.3}}', 'none'],
    ['{mesh: {}}', '{}', 'linkerd'],
    ['{mesh: {}}', '{mesh: none}', 'linkerd'],
    ['{mesh: linkerd}', '{mesh: none}', 'linkerd'],
    ['{}', '{mesh: {}, defaults: {mesh: none}}', 'none'],
    ['{mesh: {}}', '{mesh: {}, defaults: {mesh: none}}', 'linkerd'],
  ])('%s under %s: %s', async (spec, lab, name) => {
    expect((await meshOf(spec, lab)).name).toBe(name);
  });
});

test('a cluster changes single keys, whatever the form', async () => {
  const shared =
    '{mesh: {version: edge-26.8.3, values: {a: 1, b: {c: 2}}, trustDomain: x.test, certificates: {issuerLifetime: 60d}}}';
  expect(await meshOf('{mesh: {binary: /opt/linkerd, values: {b: {d: 3}}}}', shared)).toMatchObject({
    version: 'edge-26.8.3',
    binary: '/opt/linkerd',
    values: { a: 1, b: { c: 2, d: 3 } },
    issuerLifetime: 60 * 86_400,
  });
  expect(await meshOf('{mesh: linkerd}', shared)).toMatchObject({ name: 'linkerd', version: 'edge-26.8.3' });
});

test("a file of one's own defaults lies under all of it", async () => {
  const root = makeFolder({
    'own.yaml': labText('{mesh: {binary: ./bin/linkerd, trustDomain: own.test}}'),
    'labs/lab.yaml': labText('{mesh: {version: edge-26.8.3}}'),
    'labs/a.yaml': clusterText('a'),
    'labs/b.yaml': clusterText('b', '{mesh: none}'),
  });
  const { lab } = loadLab({ dir: 'labs', cwd: root, defaultsFile: 'own.yaml' });
  expect(lab.mesh.trustDomain).toBe('own.test');
  expect(lab.clusters.map(({ mesh }) => mesh)).toEqual([
    expect.objectContaining({ binary: join(root, 'bin/linkerd'), version: 'edge-26.8.3' }),
    { name: 'none' },
  ]);
});

test.each([
  [{ a: '{}', b: '{}' }, 'cluster.local'],
  [{ a: '{network: {domain: x.test}}', b: '{network: {domain: x.test}}' }, 'x.test'],
  [{ a: '{network: {domain: x.test}}', b: '{network: {domain: y.test}}' }, 'cluster.local'],
  [{ a: '{network: {domain: x.test}}', b: '{network: {domain: y.test}, mesh: none}' }, 'x.test'],
])('the trust domain of %j', async (specs, domain) => {
  const files = Object.entries(specs).map(([name, spec]) => [`${name}.yaml`, clusterText(name, spec)]);
  const lab = await loadOnly({ ...Object.fromEntries(files), 'lab.yaml': labText('{mesh: {}}') });
  expect(lab.mesh.trustDomain).toBe(domain);
});

test('an own anchor: paths as lab.yaml means them', async () => {
  const { mesh, path } = await loadOnly({
    'a.yaml': clusterText('a'),
    'lab.yaml': labText('{mesh: {certificates: {anchor: {certificate: ca.crt, key: /keys/ca.key}}}}'),
  });
  expect(mesh.anchor.own).toEqual({
    certificate: join(path, 'ca.crt'),
    key: '/keys/ca.key',
    at: expect.stringMatching(/^labs\/lab\.yaml:2:/),
  });
});

test('a manifest of the Gateway API beside the file that names it', async () => {
  const { lab } = await load({
    'sub/cluster.yaml': clusterText('a', '{mesh: {gatewayAPI: {manifest: crds.txt}}}'),
    'sub/crds.txt': 'kind: CustomResourceDefinition\n',
  });
  expect(lab.clusters[0]?.mesh).toMatchObject({
    gatewayAPI: {
      manifest: { location: join(lab.path, 'sub/crds.txt'), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    },
  });
});

test('values of variables are beside the lab, never in it', async () => {
  const { lab, secrets } = await load({
    'a.yaml': clusterText('a'),
    'b.yaml': clusterText('b', '{mesh: {env: [BUOYANT_LICENSE]}}'),
    'c.yaml': clusterText('c', '{mesh: none}'),
    'lab.yaml': labText('{mesh: {env: {BUOYANT_LICENSE: CANARY}}}'),
  });
  expect(lab.clusters.map(({ mesh }) => mesh.name !== 'none' && mesh.env)).toEqual([
    ['BUOYANT_LICENSE'],
    ['BUOYANT_LICENSE'],
    false,
  ]);
  expect(secrets).toEqual({ a: { BUOYANT_LICENSE: 'CANARY' }, b: {}, c: {} });
  expect(JSON.stringify(lab)).not.toContain('CANARY');
});

describe('what is wrong', () => {
  test.each([
    ['{mesh: linkerdd}', 'mesh: expected linkerd or none, found "linkerdd" (did you mean "linkerd"?)'],
    ['{mesh: {name: non}}', 'name: expected linkerd or none, found "non" (did you mean "none"?)'],
    ['{mesh: {trustdomain: x}}', 'unknown key "trustdomain" (did you mean "trustDomain"?)'],
    ['{mesh: {trustDomain: X.test}}', 'trustDomain: expected a domain such as cluster.local, found "X.test"'],
    [
      '{defaults: {mesh: {trustDomain: x}}}',
      'trustDomain: the clusters of a lab share it: write it in lab.yaml as spec.mesh.trustDomain',
    ],
    [
      '{mesh: {certificates: {anchorLifetime: 10}}}',
      'anchorLifetime: expected text, found number 10 (put it in quotes)',
    ],
    [
      '{mesh: {certificates: {anchorLifetime: forever}}}',
      'anchorLifetime: expected a time such as 3650d, 87600h or 10y, found "forever"',
    ],
    ['{mesh: {certificates: {issuerLifetime: 0h}}}', 'issuerLifetime: a certificate that is never valid'],
    ['{mesh: {certificates: {anchorLifetime: 200y}}}', 'anchorLifetime: 200y is longer than 100y'],
    ['{mesh: {certificates: {anchor: {key: a}}}}', 'anchor: a trust anchor of your own needs at least its certificate'],
    [
      '{mesh: {certificates: {anchorLifetime: 1y, anchor: {certificate: a}}}}',
      'anchorLifetime: a trust anchor of your own has its lifetime already',
    ],
    [
      '{mesh: {certificates: {anchorLifetime: 60d}}}',
      'issuerLifetime: an issuer cannot be valid for longer than the trust anchor',
    ],
    [
      '{mesh: {certificates: {anchorLifetime: 60d, issuerLifetime: 61d}}}',
      'issuerLifetime: an issuer cannot be valid for longer',
    ],
    ['{mesh: {gatewayAPI: {manifest: "http://x"}}}', 'manifest: expected a file or an https URL, found "http://x"'],
    ['{mesh: {gatewayAPI: {manifest: no.yaml}}}', 'manifest: "no.yaml": no such file'],
    ['{mesh: {env: {A-B: x}}}', 'A-B: expected the name of a variable'],
  ])('%s', async (spec, message) => {
    const problems = await problemsOfLab(spec);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });

  test('a value that is no text is not shown', async () => {
    const problems = await problemsOfLab('{mesh: {env: {LICENSE: 12345}}}');
    expect(problems).toEqual(['labs/lab.yaml:2:30: LICENSE: expected text (put it in quotes)']);
  });

  test('only a gateway link crosses address families', async () => {
    const clusters = { a: '{}', b: '{ipFamily: ipv6}', c: '{ipFamily: dual}' };
    const link = (to: string, mode: string) => `{links: [{from: a, to: ${to}, mode: ${mode}}]}`;
    expect(await problemsOfLab(link('b', 'flat'), clusters)).toEqual([
      'labs/lab.yaml:2:16: a flat link needs a common address family: a is ipv4, b is ipv6 (use mode gateway, or make one of them dual)',
    ]);
    const files = Object.entries(clusters).map(([name, spec]) => [`${name}.yaml`, clusterText(name, spec)]);
    for (const [to, mode] of [
      ['b', 'gateway'],
      ['c', 'flat'],
    ] as const)
      await load({ ...Object.fromEntries(files), 'lab.yaml': labText(link(to, mode)) });
  });
});
