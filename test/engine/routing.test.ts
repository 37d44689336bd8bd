import { afterAll, beforeAll, expect, it } from 'vitest';
import { cluster, describeOnEngine, EngineLab, isChanging, nodeWithPod, run, until } from './engine.ts';

/** A v4-only and a dual two-node cluster in one group, a v6-only one beside them that shares a family with only one. */
describeOnEngine('one flat network', () => {
  let lab: EngineLab;
  beforeAll(async () => {
    lab = new EngineLab({
      'lab.yaml': 'kind: Lab\nmetadata: {name: lr}\n',
      'v4.yaml': cluster('lr-v4', '{group: flat}'),
      'dual.yaml': cluster('lr-dual', '{group: flat, ipFamily: dual, nodes: {workers: 1}}'),
      'v6.yaml': cluster('lr-v6', '{group: flat, ipFamily: ipv6}'),
    });
    expect((await lab.lab('create', lab.dir)).code).toBe(0);
  });
  afterAll(() => lab?.remove());

  /** A pod (CoreDNS), and the node that it is on. */
  const podOf = (name: string, family: 4 | 6): { node: string; address: string } => {
    const pods = JSON.parse(
      lab.kubectl(name, '-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=kube-dns', '-o', 'json'),
    );
    const { spec, status } = pods.items[0];
    const ips: string[] = status.podIPs.map(({ ip }: { ip: string }) => ip);
    return { node: spec.nodeName, address: ips.find((ip) => ip.includes(':') === (family === 6)) ?? '' };
  };

  /** The source address with which a request of a pod of `from` arrives at a pod of `to`; nothing when it does not. */
  const arrivesAs = (from: string, to: string, family: 4 | 6): string | undefined => {
    const { node, address } = podOf(to, family);
    const sourceNode = nodeWithPod(`${from}-control-plane`);
    run('docker', ['exec', node, 'conntrack', '-F']);
    try {
      const url = `http://${family === 6 ? `[${address}]` : address}:8181/ready`;
      run('docker', ['exec', sourceNode, 'sh', '-c', `nsenter -t "$(pgrep -o coredns)" -n curl -sS -m 3 '${url}'`]);
    } catch {
      return undefined;
    }
    const ofFamily = family === 6 ? 'ipv6' : 'ipv4';
    const flows = run('docker', ['exec', node, 'conntrack', '-L', '-f', ofFamily, '-p', 'tcp', '-d', address]);
    const sources = [...flows.matchAll(/^tcp .*? src=(\S+) /gm)].map(([, source]) => source as string);
    // The node's own kubelet asks the same port.
    return sources.find((source) => podCidrs(from).some((start) => source.startsWith(start))) ?? sources[0];
  };
  const podCidrs = (name: string): string[] =>
    JSON.parse(lab.kubectl(name, 'get', 'nodes', '-o', 'json')).items.flatMap(
      ({ spec }: { spec: { podCIDRs: string[] } }) =>
        spec.podCIDRs.map((cidr) => cidr.replace(/(\.0|:)\/\d+$/, '$1').replace(/\.0$/, '.')),
    );
  const isPodOf = (address: string | undefined, name: string): boolean =>
    address !== undefined && podCidrs(name).some((start) => address.startsWith(start));

  const isAsWanted = async (): Promise<void> => {
    const status = await lab.lab('status', lab.dir, '--exit-code');
    expect(status.code, status.stdout).toBe(0);
  };

  it('does not exist before it is made', async () => {
    expect(arrivesAs('lr-v4', 'lr-dual', 4)).toBeUndefined();
    expect((await lab.lab('status', lab.dir, '--exit-code')).code).toBe(5);
  });

  it('carries packets with the address of the pod that sent them, both ways and in both families', async () => {
    const routed = await lab.lab('route', lab.dir);
    expect(routed.stderr).toContain('lr-v4 (ipv4) and lr-v6 (ipv6) share no address family');
    expect(routed.code).toBe(0);
    expect(isPodOf(arrivesAs('lr-v4', 'lr-dual', 4), 'lr-v4')).toBe(true);
    expect(isPodOf(arrivesAs('lr-dual', 'lr-v4', 4), 'lr-dual')).toBe(true);
    expect(isPodOf(arrivesAs('lr-v6', 'lr-dual', 6), 'lr-v6')).toBe(true);
    expect(isPodOf(arrivesAs('lr-dual', 'lr-v6', 6), 'lr-dual')).toBe(true);
    await isAsWanted();
  });

  it('is not made twice', async () => {
    lab.takeCalls();
    expect((await lab.lab('route', lab.dir)).code).toBe(0);
    const changing = lab.takeCalls().filter((call) => isChanging(call) && !isListing(call));
    expect(changing).toEqual([]);
  });

  it('is repaired exactly where a hand broke it', async () => {
    const [destination = ''] = podCidrs('lr-v4').map((start) => `${start}0/24`);
    run('docker', ['exec', 'lr-dual-worker', 'ip', 'route', 'del', destination]);
    run('docker', ['exec', 'lr-v4-control-plane', 'iptables', '-w', '-t', 'nat', '-D', 'KIND-MASQ-AGENT', '1']);
    const plan = JSON.parse((await lab.lab('repair', lab.dir, '--dryrun', '-o', 'json')).stdout);
    expect(plan.steps.map(({ id }: { id: string }) => id).sort()).toEqual([
      'lr-dual/routing/lr-dual-worker',
      'lr-v4/routing/lr-v4-control-plane',
    ]);
    expect((await lab.lab('repair', lab.dir)).code).toBe(0);
    await isAsWanted();
  });

  it('comes back after a stop, also when the nodes come back with other addresses', async () => {
    const address = (node: string) =>
      run('docker', ['inspect', node, '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}']);
    const before = address('lr-v4-control-plane');
    expect((await lab.lab('stop', lab.dir)).code).toBe(0);
    // Whoever starts first gets the lowest address.
    const order = ['lr-dual-worker', 'lr-v6-control-plane', 'lr-dual-control-plane', 'lr-v4-control-plane'];
    const reversed = before.endsWith('.2') || before.endsWith('.3') ? order : [...order].reverse();
    for (const node of reversed) run('docker', ['start', node]);
    expect(address('lr-v4-control-plane')).not.toBe(before);
    const started = await lab.lab('repair', lab.dir);
    expect(started.code, started.stderr).toBe(0);
    // The pods themselves come back a little after their nodes.
    // A load balancer that lost its API server for a moment starts once more.
    const statusCode = async () => (await lab.lab('status', lab.dir, '--exit-code')).code;
    for (let code = await statusCode(), tries = 0; code !== 0 && tries < 30; tries++) code = await statusCode();
    await until('IPv4 is whole again', 90, () => isPodOf(arrivesAs('lr-v4', 'lr-dual', 4), 'lr-v4'));
    await until('IPv6 is whole again', 90, () => isPodOf(arrivesAs('lr-v6', 'lr-dual', 6), 'lr-v6'));
    await isAsWanted();
  });
});

/** One process a node reads its routes and rules. */
const isListing = (call: readonly string[]): boolean =>
  call[1] === 'exec' && /^ip -4 route show/.test(call.at(-1) ?? '');
