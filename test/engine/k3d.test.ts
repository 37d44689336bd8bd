import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { contains, parseCidr } from '../../src/net/cidr.ts';
import type { Plan } from '../../src/step/step.ts';
import { cluster, describeWithK3d, EngineLab, isChanging, type Outcome, READY_SERVICE, run, until } from './engine.ts';
import { askReady, sourceSeen } from './pod-traffic.ts';

/** A kind and a k3d cluster, two nodes each and both families, in one group: nothing may tell them apart. */
describeWithK3d('kind and k3d in one lab', () => {
  let lab: EngineLab;
  let plan: Plan;
  let first: Outcome;
  let calls: string[][];
  const names = ['lm-k3d', 'lm-kind'];

  beforeAll(async () => {
    const shared = 'group: mixed, ipFamily: dual, zone: zone-a, nodes: {workers: 1}';
    lab = new EngineLab({
      'lab.yaml': 'kind: Lab\nmetadata: {name: lm}\n',
      'kind.yaml': cluster('lm-kind', `{${shared}}`),
      'k3d.yaml': cluster('lm-k3d', `{${shared}, provider: k3d, ports: ["127.0.0.1:18081:30081"]}`),
    });
    plan = JSON.parse((await lab.lab('create', lab.dir, '--dryrun', '-o', 'json')).stdout);
    lab.takeCalls();
    first = await lab.lab('create', lab.dir);
    calls = lab.takeCalls();
  });
  afterAll(() => lab?.remove());

  const json = (name: string, ...args: string[]) => JSON.parse(lab.kubectl(name, ...args, '-o', 'json'));
  const dns = (name: string) => json(name, '-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=kube-dns').items[0];
  const dnsNode = (name: string): string => dns(name).spec.nodeName;
  const podCidrs = (name: string): string[] =>
    json(name, 'get', 'nodes').items.flatMap(({ spec }: { spec: { podCIDRs: string[] } }) => spec.podCIDRs);

  /** Whether a request of a pod of one arrives at a pod of the other with the address of a pod. */
  const keepsSource = (from: string, to: string, family: 4 | 6): boolean => {
    const addresses: { ip: string }[] = dns(to).status.podIPs;
    const address = addresses.find(({ ip }) => ip.includes(':') === (family === 6))?.ip as string;
    const source = sourceSeen(dnsNode(from), dnsNode(to), address);
    if (source === undefined) return false;
    const one = parseCidr(`${source}/${family === 6 ? 128 : 32}`);
    return podCidrs(from).some((cidr) => contains(parseCidr(cidr), one));
  };
  const matrix = (): boolean[] =>
    ([4, 6] as const).flatMap((family) => [
      keepsSource('lm-kind', 'lm-k3d', family),
      keepsSource('lm-k3d', 'lm-kind', family),
    ]);

  /** Status finds nothing; what it finds is shown. */
  const expectSettled = async () => {
    const status = await lab.lab('status', lab.dir, '--exit-code');
    expect(status.code, status.stdout).toBe(0);
  };

  it('makes both with one create, and with what the dry run had printed', () => {
    expect(first.stderr).toContain('next: kubectl --context');
    expect(first.code).toBe(0);
    for (const name of names) expect(first.stdout).toMatch(new RegExp(`^${name} +(kind|k3d) +mixed +ready`, 'm'));
    const state = (text: string) => text.replace(/^.*\/(kubeconfigs\/[^/]+)$/, '$1');
    const planned = plan.steps.flatMap((step) =>
      step.kind === 'run'
        ? [step.argv.map((value) => (typeof value === 'string' ? value : 'file' in value ? value.file : '')).join(' ')]
        : [],
    );
    const changing = calls.filter(isChanging).map((call) => call.map(state).join(' '));
    expect([...new Set(changing)].sort()).toEqual([...planned].sort());
  });

  it('gives nodes of both what the specs ask for', () => {
    for (const name of names) {
      const nodes = json(name, 'get', 'nodes').items;
      expect(nodes).toHaveLength(2);
      for (const { metadata, spec } of nodes) {
        expect(metadata.labels['topology.kubernetes.io/zone']).toBe('zone-a');
        expect(spec.podCIDRs).toHaveLength(2);
      }
    }
    expect(lab.kubectl('k3d-lm-k3d', 'get', 'nodes', '-o', 'name')).toContain('node/k3d-lm-k3d-agent-0');
    expect(run('docker', ['port', 'k3d-lm-k3d-server-0', '30081/tcp'])).toBe('127.0.0.1:18081');
    expect(run('docker', ['port', 'k3d-lm-k3d-server-0', '6443/tcp'])).toMatch(/^127\.0\.0\.1:2\d{4}$/);
    expect(
      run('docker', ['ps', '-a', '--format', '{{.Names}}', '--filter', 'name=^k3d-lm-']).split('\n').sort(),
    ).toEqual(['k3d-lm-k3d-agent-0', 'k3d-lm-k3d-server-0']);
  });

  it('answers on pool addresses of both, from pods of the other', () => {
    for (const name of names) {
      lab.apply(name, READY_SERVICE('IPv4, IPv6'));
      const get = ['-n', 'kube-system', 'get', 'service', 'ready'];
      lab.kubectl(name, '-n', 'kube-system', 'wait', 'service/ready', '--for=jsonpath={.status.loadBalancer.ingress}');
      const addresses = json(name, ...get).status.loadBalancer.ingress.map(({ ip }: { ip: string }) => ip);
      expect(addresses).toHaveLength(2);
    }
    for (const [name, other] of [names, [...names].reverse()] as [string, string][]) {
      const service = json(name, '-n', 'kube-system', 'get', 'service', 'ready');
      for (const { ip } of service.status.loadBalancer.ingress as { ip: string }[])
        expect(askReady(dnsNode(other), ip), `${ip} of ${name}`).toBe('OK');
    }
  });

  it('has no way between their pods before it is routed, and keeps source addresses after', async () => {
    expect(matrix()).toEqual([false, false, false, false]);
    expect((await lab.lab('route', lab.dir)).code).toBe(0);
    expect(matrix()).toEqual([true, true, true, true]);
    await expectSettled();
    const verified = await lab.lab('verify', lab.dir);
    expect(verified.code, verified.stdout).toBe(0);
  });

  it('changes nothing the second time', async () => {
    lab.takeCalls();
    expect((await lab.lab('create', lab.dir)).stderr).toContain('nothing to do');
    expect((await lab.lab('route', lab.dir)).stderr).toContain('nothing to do');
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
  });

  it('comes back after a stop', async () => {
    expect((await lab.lab('stop', lab.dir)).code).toBe(0);
    expect((await lab.lab('info', lab.dir, '-o', 'json')).stdout.match(/"state": "stopped"/g)).toHaveLength(2);
    expect((await lab.lab('start', lab.dir)).code).toBe(0);
    await until('pods reach each other again', 120, () => matrix().every((held) => held));
    await expectSettled();
  });

  it('is repaired where a restart took its rules away', async () => {
    run('docker', ['restart', '-t', '5', 'k3d-lm-k3d-agent-0']);
    await until('the agent is ready', 120, () =>
      json('lm-k3d', 'get', 'nodes').items.every(
        ({ status }: { status: { conditions: { type: string; status: string }[] } }) =>
          status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True'),
      ),
    );
    const broken = await lab.lab('status', lab.dir, '--exit-code');
    expect(broken.code).toBe(5);
    expect((await lab.lab('repair', lab.dir)).code).toBe(0);
    await expectSettled();
  });

  it('is deleted one by one, without a trace in the kubeconfig', async () => {
    expect((await lab.lab('delete', lab.dir, 'lm-k3d')).code).toBe(0);
    expect(readFileSync(lab.kubeconfig, 'utf8')).not.toContain('lm-k3d');
    expect(run('docker', ['volume', 'ls', '-q', '--filter', 'name=k3d-lm-'])).toBe('');
    expect(run('docker', ['ps', '-a', '--format', '{{.Names}}', '--filter', 'name=lm-k'])).not.toContain('k3d-lm');
    expect(lab.kubectl('lm-kind', 'get', 'nodes', '-o', 'name').split('\n')).toHaveLength(2);
  });
});
