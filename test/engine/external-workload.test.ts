import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askFromPod, cluster, describeOnEngine, EngineLab, isChanging, run } from './engine.ts';

const IMAGE = process.env.LAB_TEST_WORKLOAD_IMAGE ?? 'docker.io/lab/probe:local';
const NODE = 'lw-a-control-plane';
const WORKLOAD = `apiVersion: lab/v1alpha1
kind: ExternalWorkload
metadata: {name: lw-outside}
spec:
  cluster: lw-a
  namespace: faces
  image: ${IMAGE}
  labels: {app: outside}
  env: {ZONE: outside}
  ports: [{name: http, port: 8080}]
`;
/** A Service in front of it, which only Linkerd's controller gives endpoints. */
const SERVICE = `apiVersion: v1
kind: Service
metadata: {name: outside, namespace: faces}
spec: {selector: {app: outside}, ports: [{name: http, port: 80, targetPort: 8080}]}
`;
/** CoreDNS' own metrics: a Service with a name, an address and an answer in every cluster. */
const BY_NAME = 'http://kube-dns.kube-system.svc.cluster.local:9153/metrics';

const definitions = (): string | undefined => {
  try {
    return execFileSync('linkerd', ['install', '--crds', '--ignore-cluster', '--set', 'installGatewayAPI=true'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 2 ** 26,
    });
  } catch {
    process.stderr.write('SKIPPED, visibly: ExternalWorkload resources need the linkerd CLI\n');
    return undefined;
  }
};

describeOnEngine('a workload beside a cluster', () => {
  let lab: EngineLab;
  const crds = definitions();
  beforeAll(async () => {
    lab = new EngineLab({ 'a.yaml': cluster('lw-a', '{ipFamily: dual, nodes: {workers: 1}}'), 'w.yaml': WORKLOAD });
    const created = await lab.lab('create', lab.dir);
    expect(created.code, created.stderr).toBe(0);
    if (crds !== undefined) lab.apply('lw-a', crds);
    const started = await lab.lab('workloads', lab.dir);
    expect(started.code, started.stderr).toBe(0);
    expect(started.stderr).not.toContain('left alone');
  });
  afterAll(() => lab?.remove());

  const addresses = (): string[] =>
    run('docker', [
      ...['inspect', 'lw-outside', '--format'],
      '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}',
    ]).split(' ');
  const inUrl = (address: string) => (address.includes(':') ? `[${address}]` : address);
  const fromWorkload = (...urls: string[]): string => run('docker', ['exec', 'lw-outside', 'probe', 'get', ...urls]);
  const fromPod = (url: string): string => askFromPod(NODE, url);
  const podAddresses = (): string[] =>
    JSON.parse(
      lab.kubectl('lw-a', '-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=kube-dns', '-o', 'json'),
    ).items[0].status.podIPs.map(({ ip }: { ip: string }) => ip);
  const row = async () =>
    JSON.parse((await lab.lab('status', lab.dir, '-o', 'json')).stdout).find(
      ({ thing }: { thing: string }) => thing === 'workload',
    );

  it('has the planned addresses, outside of what Docker hands out', async () => {
    const [info] = JSON.parse((await lab.lab('info', lab.dir, '-o', 'json')).stdout);
    expect(info.workloads).toMatchObject([{ name: 'lw-outside', state: 'running', addresses: addresses() }]);
    expect(await row()).toMatchObject({ result: 'ok' });
  });

  it('reaches pods by address and services by name, and is reached by pods, in both families', () => {
    for (const address of podAddresses()) expect(fromWorkload(`http://${inUrl(address)}:8181/ready`)).toBe('OK');
    expect(fromWorkload(BY_NAME)).toContain('coredns_');
    for (const address of addresses())
      expect(JSON.parse(fromPod(`http://${inUrl(address)}:8080/x`))).toMatchObject({
        pod: 'lw-outside',
        zone: 'outside',
      });
  });

  it.skipIf(crds === undefined)('is known to the cluster, and ready', () => {
    lab.apply('lw-a', SERVICE);
    const { spec, status } = JSON.parse(
      lab.kubectl('lw-a', '-n', 'faces', 'get', 'externalworkload', 'lw-outside', '-o', 'json'),
    );
    expect(spec.workloadIPs.map(({ ip }: { ip: string }) => ip)).toEqual(addresses());
    expect(spec.meshTLS.identity).toBe('spiffe://root.linkerd.cluster.local/lw-outside');
    expect(status.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]);
  });

  it('is not touched by a second run', async () => {
    const before = run('docker', ['inspect', 'lw-outside', '--format', '{{.Id}} {{.State.StartedAt}}']);
    lab.takeCalls();
    expect((await lab.lab('workloads', lab.dir)).code).toBe(0);
    // Its routes are listed by a container of a node's image, which changes nothing.
    const calls = lab.takeCalls().filter((call) => isChanging(call) && !/^ip -4 route show/.test(call.at(-1) ?? ''));
    expect(calls).toEqual([]);
    expect(run('docker', ['inspect', 'lw-outside', '--format', '{{.Id}} {{.State.StartedAt}}'])).toBe(before);
  });

  it('gets its routes back after a restart, at the same addresses', async () => {
    const before = addresses();
    run('docker', ['restart', '--time', '1', 'lw-outside']);
    expect(await row()).toMatchObject({ result: 'drift' });
    const repaired = await lab.lab('repair', lab.dir);
    expect(repaired.code, repaired.stderr).toBe(0);
    expect(addresses()).toEqual(before);
    expect(fromWorkload(BY_NAME)).toContain('coredns_');
    expect(await row()).toMatchObject({ result: 'ok' });
  });

  it('is verified from a pod on every node', async () => {
    const cells = JSON.parse((await lab.lab('verify', lab.dir, '-o', 'json')).stdout);
    const own = cells.filter(({ kind }: { kind: string }) => kind === 'workload');
    expect(own.map(({ result }: { result: string }) => result)).toEqual(['ok', 'ok', 'ok', 'ok']);
  });

  it('goes with its cluster, and so does the network', async () => {
    const deleted = await lab.lab('delete', lab.dir, '--all');
    expect(deleted.code, deleted.stderr).toBe(0);
    expect(run('docker', ['ps', '--all', '--quiet', '--filter', 'label=lab.workload=lw-outside'])).toBe('');
    expect(run('docker', ['network', 'ls', '--quiet', '--filter', 'name=lab-specs'])).toBe('');
  });
});
