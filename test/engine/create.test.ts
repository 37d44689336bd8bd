import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Plan } from '../../src/step/step.ts';
import {
  askFromPod,
  cluster,
  describeOnEngine,
  EngineLab,
  isChanging,
  type Outcome,
  READY_SERVICE,
  run,
} from './engine.ts';

const IMAGE = 'lab-engine-test/app:dev';

/** A v4-only, a v6-only and a dual two-node cluster, made at once, with everything a spec can ask for. */
describeOnEngine('lab create', () => {
  let lab: EngineLab;
  let plan: Plan;
  let first: Outcome;
  let calls: string[][];
  const names = ['le-dual', 'le-v4', 'le-v6'];

  beforeAll(async () => {
    lab = new EngineLab({
      'lab.yaml': 'kind: Lab\nmetadata: {name: le}\nspec: {}\n',
      'v4.yaml': cluster(
        'le-v4',
        `{zone: zone-a, ports: ["18080:30080"], images: ["${IMAGE}"], network: {nodeMask: [26, 64], domain: east.local}}`,
      ),
      'v6.yaml': cluster('le-v6', '{ipFamily: ipv6}'),
      'dual.yaml': cluster('le-dual', '{ipFamily: dual, nodes: {workers: 1}, kind: {nodes: [{labels: {disk: ssd}}]}}'),
    });
    // An image of one small file, which needs no registry.
    run('sh', ['-c', `printf lab | tar -cf - --files-from /dev/null | docker import - ${IMAGE}`]);
    writeFileSync(
      lab.kubeconfig,
      'apiVersion: v1\nkind: Config\n# mine\ncurrent-context: mine\ncontexts: [{name: mine, context: {cluster: x, user: x}}]\nclusters: []\nusers: []\n',
    );
    const dry = await lab.lab('create', lab.dir, '--dryrun', '-o', 'json');
    expect(dry.stderr + dry.stdout).toMatch(/^\{/);
    plan = JSON.parse(dry.stdout);
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
    first = await lab.lab('create', lab.dir);
    calls = lab.takeCalls();
  });

  afterAll(async () => {
    await lab?.remove();
    run('docker', ['image', 'rm', IMAGE]);
  });

  it('makes three clusters at once and says where they are', () => {
    expect(first.stderr).toContain('next: kubectl --context');
    expect(first.code).toBe(0);
    for (const name of names) expect(first.stdout).toMatch(new RegExp(`^${name} +kind +- +ready`, 'm'));
  });

  it('ran only what the dry run had printed, and all of it', () => {
    const state = (text: string) => text.replace(/^.*\/(kubeconfigs\/[^/]+)$/, '$1');
    const planned = plan.steps.flatMap((step) =>
      step.kind === 'run'
        ? [step.argv.map((value) => (typeof value === 'string' ? value : 'file' in value ? value.file : '')).join(' ')]
        : [],
    );
    const changing = calls.filter(isChanging).map((call) => call.map(state).join(' '));
    // The note of a cluster with images is written twice, by the same command.
    expect([...new Set(changing)].sort()).toEqual([...new Set(planned)].sort());
  });

  it('gives the nodes what the specs ask for', () => {
    const nodes = (name: string) => JSON.parse(lab.kubectl(name, 'get', 'nodes', '-o', 'json')).items;
    expect(nodes('le-v4')[0].metadata.labels['topology.kubernetes.io/zone']).toBe('zone-a');
    expect(nodes('le-v4')[0].spec.podCIDR).toMatch(/\/26$/);
    expect(nodes('le-v6')[0].spec.podCIDR).toMatch(/^fd00:10:.*\/64$/);
    expect(nodes('le-dual')).toHaveLength(2);
    expect(nodes('le-dual')[0].spec.podCIDRs).toHaveLength(2);
    expect(
      nodes('le-dual').some(
        (node: { metadata: { labels: Record<string, string> } }) => node.metadata.labels.disk === 'ssd',
      ),
    ).toBe(true);
    expect(JSON.stringify(nodes('le-v4')[0].status.images)).toContain(IMAGE);
    expect(lab.kubectl('le-v4', '-n', 'kube-system', 'get', 'configmap', 'kubeadm-config', '-o', 'yaml')).toContain(
      'dnsDomain: east.local',
    );
    expect(run('docker', ['port', 'le-v4-control-plane', '30080/tcp'])).toMatch(/:18080/);
  });

  it('merges its contexts and leaves the rest of the kubeconfig alone', () => {
    const text = readFileSync(lab.kubeconfig, 'utf8');
    expect(text).toContain('# mine');
    expect(text).toContain('current-context: mine');
    expect(lab.kubectl('kind-le-v4', 'get', 'nodes', '-o', 'name')).toBe('node/le-v4-control-plane');
  });

  it('answers on pool addresses of both families, from pods of other clusters', () => {
    lab.apply('le-dual', READY_SERVICE('IPv4, IPv6'));
    lab.apply('le-v4', READY_SERVICE('IPv4'));
    lab.apply('le-v6', READY_SERVICE('IPv6'));
    const addresses = (name: string): string[] => {
      lab.kubectl(
        name,
        '-n',
        'kube-system',
        'wait',
        'service/ready',
        '--for=jsonpath={.status.loadBalancer.ingress}',
        '--timeout=60s',
      );
      const service = JSON.parse(lab.kubectl(name, '-n', 'kube-system', 'get', 'service', 'ready', '-o', 'json'));
      return service.status.loadBalancer.ingress.map(({ ip }: { ip: string }) => ip);
    };
    const url = (address: string) => `http://${address.includes(':') ? `[${address}]` : address}:8181/ready`;
    const [dual4, dual6] = addresses('le-dual').sort((a) => (a.includes(':') ? 1 : -1)) as [string, string];
    expect(askFromPod('le-v4-control-plane', url(dual4))).toBe('OK');
    expect(askFromPod('le-v6-control-plane', url(dual6))).toBe('OK');
    expect(askFromPod('le-dual-control-plane', url(addresses('le-v4')[0] as string))).toBe('OK');
    expect(askFromPod('le-dual-control-plane', url(addresses('le-v6')[0] as string))).toBe('OK');
  });

  it('changes nothing the second time', async () => {
    const fingerprint = () =>
      names.map((name) =>
        lab.kubectl(
          name,
          'get',
          'pods,deployments,daemonsets,ipaddresspools,l2advertisements',
          '-A',
          '-o',
          'jsonpath={range .items[*]}{.kind} {.metadata.uid} {.metadata.generation}{"\\n"}{end}',
        ),
      );
    const before = fingerprint();
    lab.takeCalls();
    const again = await lab.lab('create', lab.dir);
    const second = lab.takeCalls();
    expect(again.stderr).toContain('nothing to do');
    expect(again.code).toBe(0);
    expect(second.filter(isChanging)).toEqual([]);
    expect(second.length).toBeLessThanOrEqual(6);
    expect(fingerprint()).toEqual(before);
  });

  it('changes in place what can be, and refuses the rest with the difference', async () => {
    lab.write('v4.yaml', readFileSync(`${lab.dir}/v4.yaml`, 'utf8').replace('zone-a', 'zone-b'));
    expect((await lab.lab('create', lab.dir)).code).toBe(0);
    expect(
      lab.kubectl(
        'le-v4',
        'get',
        'nodes',
        '-o',
        'jsonpath={.items[0].metadata.labels.topology\\.kubernetes\\.io/zone}',
      ),
    ).toBe('zone-b');
    lab.write('v6.yaml', cluster('le-v6', '{ipFamily: ipv6, nodes: {workers: 1}}'));
    lab.takeCalls();
    const refused = await lab.lab('create', lab.dir);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('nodes.workers: 0 → 1');
    expect(refused.stderr).toContain('--recreate le-v6');
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
    lab.write('v6.yaml', cluster('le-v6', '{ipFamily: ipv6}'));
  });

  it('shows ranges, endpoints and reasons', async () => {
    const info = JSON.parse((await lab.lab('info', lab.dir, '-o', 'json')).stdout);
    const dual = info.find(({ name }: { name: string }) => name === 'le-dual');
    expect(dual).toMatchObject({
      state: 'ready',
      pods: [expect.stringMatching(/^10\./), expect.stringMatching(/^fd00:/)],
    });
    expect(dual.nodes[0].addresses).toHaveLength(2);
    expect((await lab.lab('info', lab.dir, 'le-v4', '--why')).stdout).toContain('the running cluster has it');
  });

  it('starts a stopped cluster again', async () => {
    run('docker', ['stop', '-t', '5', 'le-v4-control-plane']);
    expect((await lab.lab('info', lab.dir, 'le-v4', '-o', 'json')).stdout).toContain('"state": "stopped"');
    const started = await lab.lab('create', lab.dir, 'le-v4');
    expect(started.stderr).toContain('stopped: le-v4-control-plane');
    expect(started.code).toBe(0);
    expect(started.stdout).toMatch(/^le-v4 +kind +- +ready/m);
  });

  it('deletes one and leaves the others, then all, without the specs', async () => {
    expect((await lab.lab('delete', lab.dir, 'le-v4')).code).toBe(0);
    expect(readFileSync(lab.kubeconfig, 'utf8')).not.toContain('le-v4');
    expect(run('docker', ['ps', '-a', '--format', '{{.Names}}', '--filter', 'name=^le-'])).not.toContain('le-v4');
    expect((await lab.lab('delete', lab.dir, 'le-v4')).code).toBe(0);
    lab.write('dual.yaml', 'this is: [not a spec');
    expect((await lab.lab('delete', lab.dir, '--all')).code).toBe(0);
    expect(run('docker', ['ps', '-a', '--format', '{{.Names}}', '--filter', 'name=^le-'])).toBe('');
    expect(run('docker', ['network', 'ls', '--format', '{{.Name}}', '--filter', 'name=lab-le'])).toBe('');
    expect(readFileSync(lab.kubeconfig, 'utf8')).not.toContain('le-');
  });
});
