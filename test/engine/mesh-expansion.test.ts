import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster, describeOnEngine, EngineLab, isChanging, run, until } from './engine.ts';

/**
 * The real Linkerd and the real SPIRE: a workload beside a cluster that is a member of its mesh, and one that is not.
 * LAB_TEST_LINKERD_IMAGES and LAB_TEST_GATEWAY_API are those of the test of Linkerd; LAB_TEST_SPIRE_IMAGES names SPIRE's server
 * and agent, separated by a comma, that the engine holds.
 */
const { LAB_TEST_LINKERD_IMAGES = '', LAB_TEST_GATEWAY_API, LAB_TEST_SPIRE_IMAGES = '' } = process.env;
const { LAB_TEST_WORKLOAD_IMAGE: IMAGE = 'docker.io/lab/probe:local' } = process.env;
const [SERVER = '', AGENT = ''] = LAB_TEST_SPIRE_IMAGES.split(',');

const missing = (() => {
  if (!LAB_TEST_LINKERD_IMAGES) return 'LAB_TEST_LINKERD_IMAGES names no images';
  if (!AGENT) return 'LAB_TEST_SPIRE_IMAGES does not name two images';
  try {
    execFileSync('linkerd', ['version', '--client'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no linkerd on the PATH';
  }
})();
if (missing) process.stderr.write(`SKIPPED, visibly: the test with the real Linkerd proxy and SPIRE (${missing})\n`);

const images = [...LAB_TEST_LINKERD_IMAGES.split(','), IMAGE].map((image) => `"${image}"`).join(', ');
const LAB = `kind: Lab
metadata: {name: lme}
spec: {mesh: {${LAB_TEST_GATEWAY_API ? `gatewayAPI: {manifest: "${LAB_TEST_GATEWAY_API}"}` : ''}}}
`;
const workload = (name: string, more: string) => `apiVersion: lab/v1alpha1
kind: ExternalWorkload
metadata: {name: ${name}}
spec: {cluster: lme-a, namespace: faces, image: "${IMAGE}", ports: [{port: 8080}]${more}}
`;
const SPIRE = `, spire: {useTrustAnchorKey: true, images: {server: "${SERVER}", agent: "${AGENT}"}}`;

const service = (name: string) => `---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: faces}
spec: {selector: {app: ${name}}, ports: [{port: 80, targetPort: 8080}]}
`;
const pod = (name: string, inject: 'enabled' | 'disabled') => `---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: faces, labels: {app: ${name}}, annotations: {linkerd.io/inject: ${inject}}}
spec: {containers: [{name: main, image: "${IMAGE}", imagePullPolicy: Never}]}
`;
const INSIDE = [
  ...['lme-proxied', 'lme-plain', 'meshed'].map(service),
  pod('meshed', 'enabled'),
  pod('bare', 'disabled'),
].join('');
const POD_IDENTITY = 'default.faces.serviceaccount.identity.linkerd.cluster.local';

(missing ? describe.skip : describeOnEngine)('a workload beside a cluster with Linkerd', () => {
  let lab: EngineLab;
  let said = '';
  beforeAll(async () => {
    lab = new EngineLab({
      'lab.yaml': LAB,
      'a.yaml': cluster('lme-a', `{ipFamily: dual, images: [${images}]}`),
      'proxied.yaml': workload('lme-proxied', SPIRE),
      'plain.yaml': workload('lme-plain', ''),
    });
    const made = await lab.lab('up', lab.dir);
    expect(made.code, made.stderr).toBe(0);
    said = made.stderr;
    lab.apply('lme-a', INSIDE);
    lab.kubectl('lme-a', '-n', 'faces', 'wait', 'pods', '--all', '--for=condition=Ready', '--timeout=120s');
  });
  afterAll(() => lab?.remove());

  const answerOf = (ask: () => string): string => {
    try {
      return JSON.parse(ask()).pod;
    } catch (error) {
      return String(error);
    }
  };
  const fromPod = (name: string, to: string) =>
    answerOf(() =>
      lab.kubectl('lme-a', '-n', 'faces', 'exec', name, '-c', 'main', '--', 'probe', 'get', `http://${to}/`),
    );
  const fromWorkload = (name: string, to: string) =>
    answerOf(() => run('docker', ['exec', name, 'probe', 'get', `http://${to}.faces.svc.cluster.local/`]));
  const untilAnswered = (what: string, ask: () => string, expected: string) =>
    until(`${what}: ${ask()}`, 90, () => ask() === expected);
  /** Both ways, by the names of Services. */
  const expectMember = async () => {
    await untilAnswered('the workload, asked by a pod', () => fromPod('meshed', 'lme-proxied'), 'lme-proxied');
    await untilAnswered('the pod, asked by the workload', () => fromWorkload('lme-proxied', 'meshed'), 'meshed');
    const counted = run('docker', [
      ...['run', '--rm', '--network', 'container:lme-proxied', '--entrypoint', 'sh', nodeImage()],
      ...['-c', 'curl -s http://127.0.0.1:4191/metrics'],
    ]).split('\n');
    const requests = counted.filter((line) => line.startsWith('request_total{') && line.includes('tls="true"'));
    expect(
      requests.some((line) => /direction="inbound"/.test(line) && line.includes(`client_id="${POD_IDENTITY}"`)),
    ).toBe(true);
    expect(
      requests.some((line) => /direction="outbound"/.test(line) && line.includes(`server_id="${POD_IDENTITY}"`)),
    ).toBe(true);
  };
  const nodeImage = () => run('docker', ['inspect', 'lme-a-control-plane', '--format', '{{.Config.Image}}']);
  const drift = async () =>
    JSON.parse((await lab.lab('status', lab.dir, '-o', 'json')).stdout).filter(
      ({ thing, result }: { thing: string; result: string }) => thing === 'workload' && result !== 'ok',
    );
  const repair = async () => {
    const outcome = await lab.lab('repair', lab.dir);
    expect(outcome.code, outcome.stderr).toBe(0);
  };

  it('is warned of once, and its key is nowhere but in the container that signs', () => {
    expect(said.match(/the key of the trust anchor goes into a container of SPIRE beside lme-proxied/g)).toHaveLength(
      1,
    );
    const sidecars = ['lme-proxied-spire-server', 'lme-proxied-spire-agent', 'lme-proxied-proxy'];
    expect(run('docker', ['inspect', ...sidecars])).not.toContain('PRIVATE KEY');
    expect(() => run('docker', ['cp', 'lme-proxied-spire-agent:/anchor.key', '-'])).toThrow();
    expect(run('docker', ['inspect', sidecars[0] ?? '', '--format', '{{.HostConfig.NetworkMode}}'])).toBe('none');
  });

  it('has an endpoint each, and answers a pod without a proxy by the name of its Service', async () => {
    for (const name of ['lme-proxied', 'lme-plain']) {
      await untilAnswered(`${name}, asked by a pod`, () => fromPod('bare', name), name);
      expect(
        lab.kubectl('lme-a', '-n', 'faces', 'get', 'endpointslices', '-l', `kubernetes.io/service-name=${name}`),
      ).toContain(`linkerd-external-${name}`);
    }
    // Linkerd takes every ExternalWorkload for a member, so a proxy speaks TLS to it.
    expect(fromPod('meshed', 'lme-plain')).not.toBe('lme-plain');
    await untilAnswered(
      'a pod, asked by a workload without a proxy',
      () => fromWorkload('lme-plain', 'meshed'),
      'meshed',
    );
  });

  it('is a member of the mesh in both directions, with the identities that both ends saw', async () => {
    await expectMember();
    expect(await drift()).toEqual([]);
  });

  it('is not touched by a second run', async () => {
    lab.takeCalls();
    expect((await lab.lab('workloads', lab.dir)).code).toBe(0);
    const calls = lab.takeCalls().filter((call) => isChanging(call) && !/^ip -4 route show/.test(call.at(-1) ?? ''));
    expect(calls).toEqual([]);
  });

  it('is one again after its container was restarted, and after SPIRE was', async () => {
    run('docker', ['restart', '--time', '1', 'lme-proxied']);
    expect(await drift()).toMatchObject([{ have: expect.stringContaining('proxy absent') }]);
    await repair();
    await expectMember();
    run('docker', ['restart', '--time', '1', 'lme-proxied-spire-server']);
    run('docker', ['kill', 'lme-proxied-spire-agent']);
    await repair();
    await expectMember();
  });

  it('is one again after its node was restarted', async () => {
    run('docker', ['restart', '--time', '1', 'lme-a-control-plane']);
    await repair();
    await expectMember();
    expect(await drift()).toEqual([]);
  });

  it('keeps the key of the trust anchor from being discarded', async () => {
    const refused = await lab.lab('certs', lab.dir, '--discard-root-key');
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining('SPIRE beside lme-proxied signs with it'),
    ]);
  });

  it('goes with all that is beside it', async () => {
    const deleted = await lab.lab('delete', lab.dir, '--all');
    expect(deleted.code, deleted.stderr).toBe(0);
    expect(run('docker', ['ps', '--all', '--quiet', '--filter', 'name=lme-'])).toBe('');
  });
});
