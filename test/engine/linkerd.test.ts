import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster, describeOnEngine, EngineLab, isChanging, until } from './engine.ts';

/**
 * The real Linkerd on two two-node clusters. LAB_TEST_LINKERD_IMAGES names the images of the control plane and the proxy
 * (separated by commas) that the engine holds for the CLI on the PATH; LAB_TEST_GATEWAY_API is a manifest on this disk,
 * where the internet is away. The workload is busybox' web server of the image LAB_TEST_WEB_IMAGE, and its client
 * LAB_TEST_WEB_GET (busybox' own may not resolve names where it is linked statically).
 */
const { LAB_TEST_LINKERD_IMAGES = '', LAB_TEST_GATEWAY_API, LAB_TEST_WEB_IMAGE = 'busybox:stable' } = process.env;
const { LAB_TEST_WEB_GET = 'wget -qO- -T 5' } = process.env;

const missing = (() => {
  if (!LAB_TEST_LINKERD_IMAGES) return 'LAB_TEST_LINKERD_IMAGES names no images';
  try {
    execFileSync('linkerd', ['version', '--client'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no linkerd on the PATH';
  }
})();
if (missing) process.stderr.write(`SKIPPED, visibly: the test with the real Linkerd (${missing})\n`);
const describeWithLinkerd = missing ? describe.skip : describeOnEngine;

const images = [...LAB_TEST_LINKERD_IMAGES.split(','), LAB_TEST_WEB_IMAGE];
const MESH = `{${LAB_TEST_GATEWAY_API ? `gatewayAPI: {manifest: "${LAB_TEST_GATEWAY_API}"}` : ''}}`;

const pods = (name: string, spec: string, labels = '{}') => `apiVersion: v1
kind: Namespace
metadata: {name: demo, annotations: {linkerd.io/inject: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: demo, labels: ${labels}}
spec:
  containers: [{name: main, image: "${LAB_TEST_WEB_IMAGE}", imagePullPolicy: Never, ${spec}}]
`;
const WEB = `${pods('web', 'command: [sh, -c, "mkdir /tmp/www && echo hello from west > /tmp/www/index.html && httpd -f -p 8080 -h /tmp/www"]', '{app: web}')}---
apiVersion: v1
kind: Service
metadata: {name: flat, namespace: demo, labels: {mirror.linkerd.io/exported: remote-discovery}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: gated, namespace: demo, labels: {mirror.linkerd.io/exported: "true"}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;

describeWithLinkerd('Linkerd on two clusters', () => {
  let lab: EngineLab;
  const labFile = (more: string) => `kind: Lab\nmetadata: {name: lkd}\nspec: {mesh: ${MESH}, ${more}}\n`;
  beforeAll(async () => {
    const spec = `{group: face, nodes: {workers: 1}, images: [${images.map((image) => `"${image}"`).join(', ')}]}`;
    lab = new EngineLab({
      'lab.yaml': labFile('groups: {face: {mode: flat}}'),
      'east.yaml': cluster('lkd-east', spec),
      'west.yaml': cluster('lkd-west', spec),
    });
    const made = await lab.lab('up', lab.dir);
    expect(made.code, made.stderr).toBe(0);
  });
  afterAll(() => lab?.remove());

  const run = async (...args: string[]) => {
    const outcome = await lab.lab(...args);
    expect(outcome.code, outcome.stderr).toBe(0);
    return outcome;
  };
  /** Every pod with its UID, every workload with its generation. */
  const fingerprint = () =>
    ['lkd-east', 'lkd-west'].map((name) =>
      lab.kubectl(
        name,
        'get',
        'pods,deployments',
        '-A',
        '-o',
        'jsonpath={range .items[*]}{.metadata.uid} {.metadata.generation}{"\\n"}{end}',
      ),
    );
  const ask = (service: string): string => {
    try {
      return lab.kubectl(
        'lkd-east',
        '-n',
        'demo',
        'exec',
        'client',
        '-c',
        'main',
        '--',
        ...LAB_TEST_WEB_GET.split(' '),
        `http://${service}.demo/`,
      );
    } catch {
      return '';
    }
  };
  const mirrors = () =>
    lab.kubectl('lkd-east', 'get', 'services', '-A', '-l', 'mirror.linkerd.io/mirrored-service=true', '-o', 'name');

  it('comes up with the lab, and a second run changes nothing', async () => {
    const before = fingerprint();
    lab.takeCalls();
    await run('up', lab.dir);
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
    expect(fingerprint()).toEqual(before);
  });

  it('is verified with the identities that both ends of a request saw', async () => {
    const cells: { kind: string; result: string; seen?: string }[] = JSON.parse(
      (await run('verify', lab.dir, '-o', 'json')).stdout,
    );
    const requests = cells.filter(({ kind }) => kind === 'request');
    expect(requests.map(({ result, seen }) => [result, seen])).toEqual(
      [
        ['lkd-east', 'lkd-west'],
        ['lkd-west', 'lkd-east'],
      ].map((ends) => [
        'ok',
        ends.map((name) => `${name}.lab-verify-mesh.serviceaccount.identity.linkerd.cluster.local`).join(' → '),
      ]),
    );
    expect(cells.filter(({ result }) => result !== 'ok')).toEqual([]);
  });

  it('answers a client of the other cluster over a flat link', async () => {
    lab.apply('lkd-west', WEB);
    lab.apply('lkd-east', pods('client', 'command: [sleep, "100000"]'));
    lab.kubectl('lkd-west', '-n', 'demo', 'wait', 'pod/web', '--for=condition=Ready', '--timeout=180s');
    lab.kubectl('lkd-east', '-n', 'demo', 'wait', 'pod/client', '--for=condition=Ready', '--timeout=180s');
    await until('an answer over the flat link', 60, () => ask('flat-lkd-west').includes('hello from west'));
    expect(
      JSON.parse((await run('status', lab.dir, '-o', 'json')).stdout).filter(
        ({ result }: { result: string }) => result !== 'ok',
      ),
    ).toEqual([]);
  });

  it('answers by a gateway where the link says so', async () => {
    lab.write('lab.yaml', labFile('links: [{from: lkd-east, to: lkd-west, mode: gateway}]'));
    await run('link', lab.dir);
    await until('an answer by the gateway', 60, () => ask('gated-lkd-west').includes('hello from west'));
    lab.takeCalls();
    await run('link', lab.dir);
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
  });

  it('leaves nothing when the links go', async () => {
    lab.write('lab.yaml', labFile('groups: {face: {mode: routes-only}}'));
    await run('link', lab.dir);
    expect(mirrors()).toBe('');
    for (const name of ['lkd-east', 'lkd-west']) {
      const left = lab.kubectl(
        name,
        'get',
        'links,secrets,deployments,serviceaccounts,roles,rolebindings,leases,services',
        '-n',
        'linkerd-multicluster',
        '-o',
        'name',
      );
      expect(left).not.toMatch(/lkd-(east|west)|gateway/);
    }
  });
});
