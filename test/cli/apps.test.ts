/** Apps and add-ons as they are typed, before stubs that remember what was applied. */
import { describe, expect, it } from 'vitest';
import { changes } from '../stubs/call.ts';
import { created, expectCode, specs, type World } from './machine.ts';

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {replicas: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
`;
const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: other}\n';
const FILES = { 'clusters/m/web.yml': WEB, 'clusters/m/extra.yml': CONFIG };

const withApps = (apps: string, mesh = 'none') => specs({ a: `{apps: ${apps}}` }, `{mesh: ${mesh}}`);
const say = (world: World, apps: string, mesh?: string) => {
  for (const [file, text] of Object.entries(withApps(apps, mesh))) world.write(file, text);
};
const objects = (world: World): string[] => world.store.keys('objects').map((key) => key.replace(/^a:/, ''));
describe('lab apps', () => {
  it('applies manifests, changes nothing a second time, and takes away what is no longer in them', async () => {
    const world = await created({ ...withApps('[{name: shop, manifests: [m/web.yml, m/extra.yml]}]'), ...FILES });
    expectCode(await world.lab('apps'), 0);
    const shop = ['Deployment/shop/web', 'Namespace//shop', 'Service/shop/web'];
    expect(objects(world)).toEqual(['ConfigMap/other/extra', ...shop]);
    const again = await world.during(async () => expectCode(await world.lab('apps'), 0));
    expect(again.filter(changes)).toEqual([]);
    say(world, '[{name: shop, manifests: [m/web.yml]}]');
    expectCode(await world.lab('apps'), 0);
    expect(objects(world)).toEqual(shop);
  });

  it('puts back what somebody took away, which status shows', async () => {
    const world = await created({ ...withApps('[{name: shop, manifests: [m/web.yml, m/extra.yml]}]'), ...FILES });
    expectCode(await world.lab('apps'), 0);
    const all = objects(world);
    world.store.remove('objects', 'a:Service/shop/web');
    world.store.remove('objects', 'a:ConfigMap/other/extra');
    const { stdout } = await world.lab('status', '-o', 'json');
    expect(JSON.parse(stdout).find(({ thing }: { thing: string }) => thing === 'apps')).toMatchObject({
      result: 'drift',
      have: 'shop (not there: Service shop/web, ConfigMap other/extra)',
    });
    expectCode(await world.lab('up'), 0);
    expect(objects(world)).toEqual(all);
  });

  it('removes an app that no spec asks for, which status shows', async () => {
    const world = await created({ ...withApps('[{name: shop, manifests: [m/web.yml]}]'), ...FILES });
    expectCode(await world.lab('apps'), 0);
    say(world, '[]');
    const { stdout } = await world.lab('status', '-o', 'json');
    expect(JSON.parse(stdout).find(({ thing }: { thing: string }) => thing === 'apps')).toMatchObject({
      result: 'drift',
      have: 'shop (no spec asks for it any more)',
      want: '',
    });
    expectCode(await world.lab('apps'), 0);
    expect(objects(world)).toEqual(['Namespace//shop']);
    expect(world.store.read('objects', 'a:Namespace//shop')?.metadata.annotations).toEqual({});
  });

  it('renders charts with their values, and runs only commands that its dry run printed', async () => {
    const chart = { Chart: 'name: web\nversion: 0.1.0\n', values: 'size: 1\n' };
    const template = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-{{ .Values.size }}"}\n';
    const world = await created({
      ...withApps('[{name: web, helm: {chart: ./chart, values: {size: 2}}}]'),
      'clusters/chart/Chart.yaml': chart.Chart,
      'clusters/chart/values.yaml': chart.values,
      'clusters/chart/templates/web.yaml': template,
    });
    world.install('helm');
    const printed = await world.lab('apps', '--dryrun', '-o', 'json');
    expectCode(printed, 0);
    const { steps } = JSON.parse(printed.stdout) as { steps: { kind: string; argv?: unknown[] }[] };
    const known = new Set(steps.flatMap(({ argv }) => (argv ? [JSON.stringify(argv.slice(3))] : [])));
    const calls = await world.during(async () => expectCode(await world.lab('apps'), 0));
    for (const { argv } of calls.filter(changes)) expect(known).toContain(JSON.stringify(argv.slice(2)));
    expect(objects(world)).toEqual(['ConfigMap/web/web-2', 'Namespace//web']);
  });

  it('exports services to linked clusters, and takes exports back', async () => {
    const world = await created({
      ...withApps('[{name: web, inject: true, manifests: [m/web.yml], exports: {web: flat}}]', 'linkerd'),
      ...FILES,
    });
    world.install('linkerd');
    expectCode(await world.lab('linkerd'), 0);
    expectCode(await world.lab('apps'), 0);
    const labels = () => world.store.read('objects', 'a:Service/web/web')?.metadata.labels;
    expect(labels()).toMatchObject({ 'mirror.linkerd.io/exported': 'remote-discovery' });
    expect(world.store.read('objects', 'a:Namespace//web')?.metadata.annotations).toMatchObject({
      'linkerd.io/inject': 'enabled',
    });

    say(world, '[{name: web, inject: true, manifests: [m/web.yml], exports: {web: federated}}]', 'linkerd');
    expectCode(await world.lab('apps'), 0);
    expect(labels()).toMatchObject({ 'mirror.linkerd.io/federated': 'member' });
    expect(labels()).not.toHaveProperty('mirror.linkerd.io/exported');

    say(world, '[{name: web, inject: true, manifests: [m/web.yml]}]', 'linkerd');
    expectCode(await world.lab('apps'), 0);
    expect(Object.keys(labels() ?? {}).filter((key) => key.includes('mirror') || key === 'lab/export')).toEqual([]);
  });

  it('names a service that a chart turns out not to have, when it is to be exported', async () => {
    const chart = 'apiVersion: v1\nkind: Service\nmetadata: {name: "{{ .Release.Name }}"}\n';
    const world = await created({
      ...withApps('[{name: web, helm: {chart: ./chart}, exports: {wep: flat}}]', 'linkerd'),
      'clusters/chart/Chart.yaml': 'name: web\nversion: 0.1.0\n',
      'clusters/chart/values.yaml': 'size: 1\n',
      'clusters/chart/templates/web.yaml': chart,
    });
    for (const program of ['linkerd', 'helm']) world.install(program);
    const run = await world.lab('apps');
    expectCode(run, 1);
    expect(run.stderr).toMatch(/a: could not export wep \(flat\)\n[\s\S]*services "wep" not found/);
  });

  it('goes on after a failure with what is left', async () => {
    const world = await created({ ...withApps('[{name: shop, manifests: [m/web.yml]}]'), ...FILES });
    const run = await world.start(['apps'], { FAULT: 'kubectl:get:a_shop.kubeconfig:exit1=Error: away' }).done;
    expectCode(run, 1);
    expect(run.stderr).toMatch(/a: could not list what shop brought\n[\s\S]*Error: away/);
    const again = await world.during(async () => expectCode(await world.lab('apps'), 0));
    expect(again.filter(changes).length).toBeGreaterThan(0);
  });
});
