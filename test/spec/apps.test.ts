import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadLab } from '../../src/spec/load.ts';
import { clusterText, labText, loadCluster, makeFolder, problemsIn } from './spec-folder.ts';

const WEB = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\n';
const CHART = { 'c/Chart.yaml': 'name: c\nversion: 0.1.0\n', 'c/templates/x.yaml': 'x' };

const problems = (apps: string, files: Readonly<Record<string, string>> = {}, mesh = 'none') =>
  problemsIn({ 'a.yaml': clusterText('a', `{mesh: ${mesh}, apps: ${apps}}`), 'm/web.yaml': WEB, ...CHART, ...files });

async function hashOf(apps: string, files: Readonly<Record<string, string>> = {}): Promise<string | undefined> {
  const all = { 'a.yaml': clusterText('a', `{apps: ${apps}}`), 'm/web.yaml': WEB, ...CHART, ...files };
  const root = makeFolder(Object.fromEntries(Object.entries(all).map(([name, text]) => [join('labs', name), text])));
  const { lab } = await loadLab({ dir: 'labs', cwd: root });
  return lab.clusters[0]?.apps[0]?.hash;
}

describe('what is wrong with an app', () => {
  test.each([
    ['[{name: x, helm: {chart: ./nope}}]', ['a.yaml:4:51: chart: "./nope": no such file']],
    ['[{name: x, helm: {chart: ./m}}]', ['chart: "./m": no Chart.yaml in it']],
    ['[{name: x, helm: {chart: web}}]', ['"web" is neither a file nor a name in a repo']],
    ['[{name: x, helm: {chart: "oci://h/web"}}]', ['version is missing: "oci://h/web" would be another chart']],
    [
      '[{name: x, helm: {chart: web, repo: "http://h", version: "1"}}]',
      ['repo: expected an https URL, found "http://h"'],
    ],
    ['[{name: x, manifests: [m/gone.yaml]}]', ['manifest: "m/gone.yaml": no such file']],
    ['[{name: x}]', ['app x has neither helm nor manifests']],
    ['[{name: x, manifests: [m/web.yaml]}, {name: x, manifests: [m/web.yaml]}]', ['a second app named "x"']],
    ['[{name: linkerd-viz, manifests: [m/web.yaml]}]', ['"linkerd-viz" is the name of an add-on']],
    ['[{name: x, inject: true, manifests: [m/web.yaml]}]', ['inject: the cluster has no mesh']],
    ['[{name: x, manifests: [m/web.yaml], exports: {web: flat}}]', ['exports: web: the cluster has no mesh']],
    ['[{name: x, helm: {chart: -x}}]', ['chart: expected something that is not a flag']],
    ['[{name: x, run: rm}]', ['unknown key "run"']],
  ])('%s', async (apps, expected) => {
    const found = await problems(apps);
    expect(found).toHaveLength(expected.length);
    for (const [index, text] of expected.entries()) expect(found[index]).toContain(text);
  });

  test('a manifest that is not YAML', async () => {
    expect(await problems('[{name: x, manifests: [m/bad.yaml]}]', { 'm/bad.yaml': 'a: b\nkind: "open\n' })).toEqual([
      expect.stringMatching(/manifests: "m\/bad.yaml": not YAML: line \d: /),
    ]);
    expect(await problems('[{name: x, manifests: [m/bad.yaml]}]', { 'm/bad.yaml': `${WEB}---\nname: no\n` })).toEqual([
      expect.stringContaining('manifests: "m/bad.yaml": line 5: no object of Kubernetes: it lacks apiVersion and kind'),
    ]);
  });

  test('an export of a service that does not exist', async () => {
    const found = await problems('[{name: x, manifests: [m/web.yaml], exports: {wep: flat}}]', {}, 'linkerd');
    expect(found).toEqual([
      expect.stringMatching(/exports: no service "wep" in the manifests of x \(did you mean "web"/),
    ]);
  });

  describe('two that bring one object', () => {
    const app = (name: string, namespace: string, ...files: string[]) =>
      `{name: ${name}, namespace: ${namespace}, manifests: [${files.join(', ')}]}`;
    const object = (kind: string, more = '') => `apiVersion: ${more}v1\nkind: ${kind}\nmetadata: {name: web}\n`;
    const files = {
      'm/more.yaml': `${object('ConfigMap')}---\n${object('Service', 'example.com/')}---\n${WEB}`,
      'm/role.yaml': object('ClusterRole', 'rbac.authorization.k8s.io/'),
      'm/there.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: n}\n',
      'm/list.yaml': `apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: web}}\n`,
    };

    test.each([
      [
        'in one namespace',
        app('y', 'n', 'm/more.yaml'),
        'y and x both bring Service web in namespace n: "m/more.yaml" line 9',
      ],
      ['in a namespace that the object names', app('y', 'o', 'm/there.yaml'), 'both bring Service web in namespace n'],
      [
        'in a list',
        app('y', 'n', 'm/list.yaml'),
        'both bring Service web in namespace n: "m/list.yaml" line 1, "m/web.yaml" line 1',
      ],
    ])('%s', async (_, second, message) => {
      const found = await problems(`[${app('x', 'n', 'm/web.yaml')}, ${second}]`, files);
      expect(found).toEqual([expect.stringContaining(message)]);
      expect(found[0]).toMatch(
        /^labs\/a\.yaml:4:\d+: .* \(the other is at labs\/a\.yaml:4:\d+; leave it out of one of them\)$/,
      );
    });

    test('of the cluster, from whatever namespace', async () => {
      const found = await problems(`[${app('x', 'n', 'm/role.yaml')}, ${app('y', 'o', 'm/role.yaml')}]`, files);
      expect(found).toEqual([expect.stringContaining('y and x both bring ClusterRole web: "m/role.yaml" line 1')]);
    });

    test('as an add-on and an app', async () => {
      const spec = `{addons: {grafana: {manifests: [m/there.yaml]}}, apps: [${app('x', 'n', 'm/web.yaml')}]}`;
      const found = await problemsIn({ 'a.yaml': clusterText('a', spec), 'm/web.yaml': WEB, ...files });
      expect(found).toContainEqual(expect.stringContaining('x and grafana both bring Service web in namespace n'));
    });

    test('but not in two namespaces, of two groups, or twice in one app', async () => {
      const apps = [app('x', 'n', 'm/web.yaml', 'm/more.yaml'), app('y', 'o', 'm/more.yaml')];
      expect(await hashOf(`[${apps.join(', ')}]`, files)).toBeDefined();
    });
  });

  test('one namespace with two words about proxies', async () => {
    const one = '{name: x, namespace: n, inject: true, manifests: [m/web.yaml]}';
    const files = { 'm/y.yaml': WEB.replace('web', 'y') };
    const found = await problems(`[${one}, {name: y, namespace: n, manifests: [m/y.yaml]}]`, files, 'linkerd');
    expect(found).toEqual([expect.stringContaining('y and x share namespace n, and only one of them says inject')]);
  });
});

test('an app is another one when what decides its objects changes, and only then', async () => {
  const chart = '[{name: x, helm: {chart: ./c}}]';
  const same = await hashOf(chart);
  expect(same).toMatch(/^[0-9a-f]{16}$/);
  expect(await hashOf(chart)).toBe(same);
  expect(await hashOf(chart, { 'c/templates/x.yaml': 'y' })).not.toBe(same);
  expect(await hashOf('[{name: x, helm: {chart: ./c, values: {a: 1}}}]')).not.toBe(same);
  const file = '[{name: x, manifests: [m/web.yaml]}]';
  expect(await hashOf(file, { 'm/web.yaml': `${WEB}# more\n` })).not.toBe(await hashOf(file));
});

describe('add-ons', () => {
  test('are told the domains of cluster and lab, also where their chart is another; the spec wins', async () => {
    const valuesOf = async (addons: string, domain = 'east.test') => {
      const spec = `{network: {domain: ${domain}}, addons: ${addons}}`;
      const { apps } = await loadCluster(spec, '{mesh: {trustDomain: trust.test}}');
      return apps.map(({ hash, sources: [source] }) => ({
        hash,
        values: source && 'values' in source ? source.values : {},
      }));
    };
    const clusterDomain = 'east.test';
    const [viz, smi] = await valuesOf('{linkerd-viz: {}, linkerd-smi: {}}');
    expect(viz?.values).toEqual({ clusterDomain, identityTrustDomain: 'trust.test' });
    expect(smi?.values).toEqual({ clusterDomain });
    const [, other] = await valuesOf('{linkerd-viz: {}, linkerd-smi: {}}', 'west.test');
    expect(other?.hash).not.toBe(smi?.hash);
    const own = '{chart: smi, repo: "https://charts.test", version: 1.0.0, values: {a: 1}}';
    expect((await valuesOf(`{linkerd-smi: ${own}}`))[0]?.values).toEqual({ clusterDomain, a: 1 });
    const [told] = await valuesOf('{linkerd-smi: {values: {clusterDomain: x.test}}}');
    expect(told?.values).toEqual({ clusterDomain: 'x.test' });
  });

  test('have what they need, in order', async () => {
    const { apps } = await loadCluster('{addons: {linkerd-failover: {}, linkerd-smi: {}}}', '{mesh: linkerd}');
    expect(apps.map(({ name }) => name)).toEqual(['linkerd-smi', 'linkerd-failover']);
    expect(apps.every(({ retired }) => retired !== undefined)).toBe(true);
  });

  test('fit those beside them', async () => {
    const { apps } = await loadCluster('{addons: {grafana: {}, linkerd-viz: {values: {a: 1}}}}', '{mesh: linkerd}');
    expect(apps.at(-1)?.sources).toMatchObject([
      { kind: 'linkerd', extension: 'viz', values: { a: 1, grafana: { url: 'grafana.grafana:3000' } } },
    ]);
  });

  test('of the defaults can be left out, and come from files', async () => {
    const shared = '{mesh: linkerd, defaults: {addons: {linkerd-viz: {}, linkerd-smi: {}}}}';
    const files = { 'lab.yaml': labText(shared), 'm/smi.yaml': WEB };
    const spec = '{addons: {linkerd-viz: none, linkerd-smi: {manifests: [m/smi.yaml]}}}';
    const root = makeFolder(
      Object.fromEntries(
        Object.entries({ ...files, 'a.yaml': clusterText('a', spec) }).map(([k, v]) => [join('labs', k), v]),
      ),
    );
    const { lab } = await loadLab({ dir: 'labs', cwd: root });
    expect(lab.clusters[0]?.apps).toMatchObject([
      { name: 'linkerd-smi', sources: [{ kind: 'manifest', manifest: { location: join(root, 'labs/m/smi.yaml') } }] },
    ]);
  });

  test.each([
    [
      '{addons: {viz: {}}}',
      'unknown key "viz" (keys here: grafana, linkerd-viz, linkerd-smi, linkerd-failover, emissary',
    ],
    ['{addons: {linkerd-vis: {}}}', 'did you mean "linkerd-viz"?'],
    ['{addons: {linkerd-viz: {}}}', 'linkerd-viz needs linkerd (give the cluster a mesh)'],
    [
      '{mesh: linkerd, addons: {linkerd-failover: {}}}',
      'linkerd-failover needs linkerd-smi (addons: {linkerd-smi: {}, ',
    ],
    ['{addons: {metallb: {}}}', 'every cluster has it: spec.loadBalancer of lab.yaml'],
  ])('%s is wrong', async (spec, expected) => {
    const [found, ...rest] = await problemsIn({ 'a.yaml': clusterText('a', spec) });
    expect(rest).toEqual([]);
    expect(found).toContain(expected);
  });
});
