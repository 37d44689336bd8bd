import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Plan } from '../../src/step/step.ts';
import { cluster, describeOnEngine, EngineLab, isChanging } from './engine.ts';

const hasHelm = (() => {
  try {
    execFileSync('helm', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
if (!hasHelm) process.stderr.write('SKIPPED, visibly: apps from a chart (no helm on the PATH)\n');

/** A type and an object of it in one file, the object first. */
const WIDGETS = `apiVersion: example.lab/v1
kind: Widget
metadata: {name: one}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.lab}
spec:
  group: example.lab
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;

/** A local chart and local manifests on a real cluster; the workload is the pause image that its node has anyway. */
(hasHelm ? describeOnEngine : describeOnEngine.skip)('lab apps', () => {
  let lab: EngineLab;
  let image: string;
  const name = 'la-app';

  const say = (values: string, more = '') =>
    lab.write(
      'app.yaml',
      cluster(name, `{apps: [{name: web, namespace: shop, helm: {chart: ./chart, values: ${values}}}${more}]}`),
    );
  const widgets = ', {name: widgets, namespace: shop, manifests: [manifests/widgets.yaml]}';
  const apps = async (): Promise<string[][]> => {
    lab.takeCalls();
    const { code, stderr, stdout } = await lab.lab('apps', lab.dir);
    expect(code, stderr + stdout).toBe(0);
    return lab.takeCalls();
  };
  const get = (...args: string[]): string => lab.kubectl(name, 'get', ...args);
  const generations = (): string =>
    get(
      'deployments,services',
      '-n',
      'shop',
      '-o',
      'jsonpath={range .items[*]}{.metadata.uid}/{.metadata.generation} {end}',
    );

  beforeAll(async () => {
    lab = new EngineLab({ 'lab.yaml': 'kind: Lab\nmetadata: {name: la}\nspec: {loadBalancer: {addon: none}}\n' });
    mkdirSync(join(lab.dir, 'manifests'));
    cpSync('test/fixtures/charts/web', join(lab.dir, 'chart'), { recursive: true });
    lab.write('manifests/widgets.yaml', WIDGETS);
    lab.write('app.yaml', cluster(name));
    const { code, stderr } = await lab.lab('create', lab.dir);
    expect(code, stderr).toBe(0);
    const images = get('nodes', '-o', 'jsonpath={.items[0].status.images[*].names[*]}').split(' ');
    image = images.find((one) => /\/pause:/.test(one)) ?? '';
  });

  afterAll(() => lab?.remove());

  it('applies a chart and manifests, and runs only what its dry run printed', async () => {
    say(`{image: "${image}", extra: true}`, widgets);
    const dry = await lab.lab('apps', lab.dir, '--dryrun', '-o', 'json');
    const plan = JSON.parse(dry.stdout) as Plan;
    const planned = new Set(
      plan.steps.flatMap((step) => (step.kind === 'run' ? [JSON.stringify(step.argv.slice(3))] : [])),
    );
    const calls = (await apps()).filter(isChanging);
    for (const call of calls.filter(([, , , verb]) => verb !== 'label' && verb !== 'config'))
      expect(planned).toContain(JSON.stringify(call.slice(3)));
    expect(get('deployment', 'web', '-n', 'shop', '-o', 'jsonpath={.status.availableReplicas}')).toBe('1');
    expect(get('widgets,configmaps', '-A', '-l', 'lab/app', '-o', 'name').split('\n').sort()).toEqual([
      'configmap/web-extra',
      'widget.example.lab/one',
    ]);
  });

  it('changes nothing a second time', async () => {
    const before = generations();
    expect((await apps()).filter(isChanging)).toEqual([]);
    expect(generations()).toBe(before);
    const { stdout } = await lab.lab('status', lab.dir, '-o', 'json');
    expect(JSON.parse(stdout).find(({ thing }: { thing: string }) => thing === 'apps')).toMatchObject({
      result: 'ok',
      have: 'web,widgets',
    });
  });

  it('puts back what somebody deleted', async () => {
    lab.kubectl(name, 'delete', 'service/web', 'widget/one', '-n', 'shop');
    lab.kubectl(name, 'delete', 'configmap/web-extra', '-n', 'kube-system');
    const { stdout } = await lab.lab('status', lab.dir, '-o', 'json');
    const { result, have } = JSON.parse(stdout).find(({ thing }: { thing: string }) => thing === 'apps');
    expect(result).toBe('drift');
    expect(have).toContain('Service shop/web');
    expect(have).toContain('ConfigMap kube-system/web-extra');
    expect(have).toContain('widgets (not there: Widget shop/one)');
    await apps();
    const labelled = ['services,configmaps,widgets', '-A', '-l', 'lab/app', '-o', 'name'];
    expect(get(...labelled).split('\n')).toHaveLength(3);
    expect((await apps()).filter(isChanging)).toEqual([]);
  });

  it('applies another form, and takes away what is no longer in it', async () => {
    say(`{image: "${image}", replicas: 2}`, widgets);
    await apps();
    expect(get('deployment', 'web', '-n', 'shop', '-o', 'jsonpath={.status.availableReplicas}')).toBe('2');
    expect(get('configmaps', '-A', '-l', 'lab/app', '-o', 'name')).toBe('');
  });

  it('names the pod that does not come up', async () => {
    say('{image: "lab.invalid/nothing:1"}', widgets);
    const { code, stderr } = await lab.lab('apps', lab.dir, '--timeout', '20s');
    expect(code).toBe(1);
    expect(stderr).toMatch(/could not wait for web\n[\s\S]*deployment shop\/web not ready[\s\S]*pod web-/);
    say(`{image: "${image}"}`, widgets);
    await apps();
  });

  it('removes what no spec asks for', async () => {
    lab.write('app.yaml', cluster(name));
    await apps();
    expect(get('deployments,services,widgets', '-A', '-l', 'lab/app', '-o', 'name')).toBe('');
    // With a type would go everybody's objects of it.
    expect(get('crds', '-l', 'lab/app', '-o', 'name')).toContain('widgets.example.lab');
    expect(get('namespace', 'shop', '-o', 'jsonpath={.metadata.annotations}')).not.toContain('lab/app');
    expect((await apps()).filter(isChanging)).toEqual([]);
  });
});
