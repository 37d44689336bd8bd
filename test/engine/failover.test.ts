import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cluster, EngineLab, hasK3d, isChanging, until } from './engine.ts';
import { describeWithLinkerd, IMAGES, mesh, WEB_IMAGE } from './linkerd-lab.ts';

/**
 * The failover lab for real and small: two clusters of two nodes on k3d (on kind where there is none), each with
 * a domain of its own and Linkerd, linked by gateways both ways, one workload in both, and linkerd-failover over a TrafficSplit. LAB_TEST_FAILOVER_CHARTS is a folder with the
 * charts `linkerd-smi` and `linkerd-failover`, LAB_TEST_FAILOVER_IMAGES the images that they name, which the engine holds.
 */
const { LAB_TEST_FAILOVER_CHARTS: charts, LAB_TEST_FAILOVER_IMAGES = '' } = process.env;
if (!charts)
  process.stderr.write('SKIPPED, visibly: the failover lab (LAB_TEST_FAILOVER_CHARTS names no folder with charts)\n');

const images = [...IMAGES, ...LAB_TEST_FAILOVER_IMAGES.split(',').filter(Boolean)];
const EAST = 'lfo-east';
const WEST = 'lfo-west';

const shop = (name: string) => `apiVersion: apps/v1
kind: Deployment
metadata: {name: emoji}
spec:
  selector: {matchLabels: {app: emoji}}
  template:
    metadata: {labels: {app: emoji}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: emoji
        image: "${WEB_IMAGE}"
        imagePullPolicy: Never
        command: [sh, -c, "mkdir /tmp/www && echo served by ${name} > /tmp/www/index.html && httpd -f -p 8080 -h /tmp/www"]
---
apiVersion: v1
kind: Service
metadata: {name: emoji-svc}
spec: {selector: {app: emoji}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: web, image: "${WEB_IMAGE}", imagePullPolicy: Never, command: [sleep, "100000"]}]
`;

const split = (peer: string) => `apiVersion: split.smi-spec.io/v1alpha2
kind: TrafficSplit
metadata:
  name: emoji-split
  labels: {failover.linkerd.io/controlled-by: linkerd-failover}
  annotations: {failover.linkerd.io/primary-service: emoji-svc}
spec:
  service: emoji-svc
  backends: [{service: emoji-svc, weight: 1}, {service: emoji-svc-${peer}, weight: 0}]
`;

const check = (name: string, service: string, from: string) =>
  `{name: ${name}, from: ${EAST}/shop/web-, request: "http://${service}/", within: 90s, expect: {contains: served by ${from}}}`;

/** The lab, whose second check says which cluster serves now. */
const labFile = (serving: string) => `kind: Lab
metadata: {name: lfo}
spec:
  mesh: ${mesh()}
  links: [{from: ${EAST}, to: ${WEST}, mode: gateway}, {from: ${WEST}, to: ${EAST}, mode: gateway}]
  checks: [${check('mirror', `emoji-svc-${WEST}`, WEST)}, ${check('shop', 'emoji-svc', serving)}]
  defaults:
    provider: ${hasK3d ? 'k3d' : 'kind'}
    nodes: {workers: 1}
    images: [${images.map((image) => `"${image}"`).join(', ')}]
    addons: {linkerd-smi: {chart: "${charts}/linkerd-smi"}, linkerd-failover: {chart: "${charts}/linkerd-failover"}}
`;

const clusterFile = (name: string) =>
  cluster(
    name,
    `{network: {domain: ${name}.test}, apps: [{name: shop, inject: true, manifests: [m/${name}.yaml], exports: {emoji-svc: gateway}}, {name: failover, namespace: shop, inject: true, manifests: [m/split-${name}.yaml]}]}`,
  );

(charts ? describeWithLinkerd : describeWithLinkerd.skip)('the failover lab', () => {
  let lab: EngineLab;
  beforeAll(async () => {
    lab = new EngineLab({ 'lab.yaml': labFile(EAST) });
    mkdirSync(join(lab.dir, 'm'));
    for (const [name, peer] of [
      [EAST, WEST],
      [WEST, EAST],
    ] as const) {
      lab.write(`${name}.yaml`, clusterFile(name));
      lab.write(`m/${name}.yaml`, shop(name));
      lab.write(`m/split-${name}.yaml`, split(peer));
    }
    const made = await lab.lab('up', lab.dir);
    expect(made.code, made.stderr).toBe(0);
    expect(made.stderr).toContain('linkerd-failover: Linkerd deprecates it');
  });
  afterAll(() => lab?.remove());

  const scale = (replicas: number) =>
    lab.kubectl(EAST, '-n', 'shop', 'scale', 'deployment/emoji', `--replicas=${replicas}`);
  const weights = () =>
    lab.kubectl(EAST, '-n', 'shop', 'get', 'trafficsplit/emoji-split', '-o', 'jsonpath={.spec.backends[*].weight}');
  const verify = async (serving: string) => {
    lab.write('lab.yaml', labFile(serving));
    const { code, stdout, stderr } = await lab.lab('verify', lab.dir, '-o', 'json');
    expect(code, stderr + stdout).toBe(0);
    const checks = JSON.parse(stdout).filter(({ kind }: { kind: string }) => kind === 'check');
    expect(checks).toMatchObject([
      { name: 'mirror', result: 'ok' },
      { name: 'shop', result: 'ok' },
    ]);
  };

  it('answers by the mirrored service, and serves itself', async () => {
    await verify(EAST);
    expect(weights()).toBe('1 0');
  });

  it('changes nothing a second time', async () => {
    lab.takeCalls();
    const { code, stderr } = await lab.lab('up', lab.dir);
    expect(code, stderr).toBe(0);
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
  });

  it('moves traffic when the primary is scaled to zero, and back', async () => {
    scale(0);
    await verify(WEST);
    expect(weights()).toBe('0 1');
    scale(1);
    await until('the weights are back', 120, () => weights() === '1 0');
    await verify(EAST);
  });

  it('fails its checks with a reason, and exit code 1, where the other cluster serves', async () => {
    lab.write('lab.yaml', labFile(WEST).replaceAll('within: 90s', 'within: 1s'));
    const { code, stdout } = await lab.lab('verify', lab.dir, EAST);
    expect(code).toBe(1);
    expect(stdout).toMatch(/shop +\S+ +failed +web-\S+ got an answer without "served by lfo-west"/);
  });
});
