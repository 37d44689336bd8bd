import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Cell } from '../../src/lab/reach.ts';
import { cluster, describeOnEngine, EngineLab, finish, isChanging, run, until } from './engine.ts';

/** What `lab verify` measures, and what it concludes from routes and rules, on a v4-only, a v6-only and a dual cluster. */
describeOnEngine('who reaches whom', () => {
  let lab: EngineLab;
  beforeAll(async () => {
    lab = new EngineLab({
      'lab.yaml': 'kind: Lab\nmetadata: {name: lvf}\n',
      'v4.yaml': cluster('lvf-v4', '{group: flat}'),
      'dual.yaml': cluster('lvf-dual', '{group: flat, ipFamily: dual, nodes: {workers: 1}}'),
      'v6.yaml': cluster('lvf-v6', '{group: flat, ipFamily: ipv6}'),
    });
    expect((await lab.lab('create', lab.dir)).code).toBe(0);
  });
  afterAll(() => lab?.remove());

  const NODES = ['lvf-v4-control-plane', 'lvf-dual-control-plane', 'lvf-dual-worker', 'lvf-v6-control-plane'];

  const verify = async (): Promise<{ code: number | null; cells: Cell[] }> => {
    const { code, stdout } = await lab.lab('verify', lab.dir, '-o', 'json');
    return { code, cells: JSON.parse(stdout) };
  };
  const pods = (cells: readonly Cell[]) => cells.filter(({ kind }) => kind === 'pod');
  /** Measured and predicted say the same of every pair of nodes. */
  const expectAgreement = (cells: readonly Cell[]) => {
    expect(pods(cells)).toHaveLength(8);
    expect(pods(cells).filter(({ result, predicted }) => (result === 'ok') !== predicted)).toEqual([]);
  };
  const left = () => {
    const namespaces = ['lvf-v4', 'lvf-dual', 'lvf-v6'].map((name) =>
      lab.kubectl(name, 'get', 'namespaces', '-o', 'name'),
    );
    const files = NODES.map((node) =>
      run('docker', ['exec', node, 'sh', '-c', 'ls /run | grep lab-verify || true; pgrep conntrack || true']),
    );
    return [...namespaces.filter((list) => list.includes('lab-verify')), ...files.filter((text) => text !== '')];
  };

  /** Every pod and what runs it, by identity and generation. */
  const objects = () =>
    ['lvf-v4', 'lvf-dual', 'lvf-v6'].map((name) =>
      lab.kubectl(
        name,
        ...['get', 'pods,deployments,daemonsets', '-A', '-o'],
        'jsonpath={range .items[*]}{.kind} {.metadata.uid} {.metadata.generation}{"\\n"}{end}',
      ),
    );

  it('finds every way closed before there are routes, and pools and names open', async () => {
    const { code, cells } = await verify();
    expect(code).toBe(1);
    expectAgreement(cells);
    expect(
      pods(cells).every(({ result, reason }) => result === 'failed' && /^no route on lvf-/.test(reason ?? '')),
    ).toBe(true);
    const rest = cells.filter(({ kind }) => kind !== 'pod');
    expect(rest.filter(({ kind }) => kind === 'pool').length).toBeGreaterThanOrEqual(8);
    expect(rest.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(
      rest
        .filter(({ result }) => result === 'expected')
        .map(({ from, to }) => [from.cluster, to.name])
        .sort(),
    ).toEqual([
      ['lvf-v6', 'lvf-dual-control-plane'],
      ['lvf-v6', 'lvf-v4-control-plane'],
    ]);
    expect(left()).toEqual([]);
  });

  it('finds every way open afterwards, each with the address of the pod that asked', async () => {
    expect((await lab.lab('route', lab.dir)).code).toBe(0);
    const { code, cells } = await verify();
    expect(cells.filter(({ result }) => result === 'failed')).toEqual([]);
    expect(code).toBe(0);
    expectAgreement(cells);
    const shares: Record<string, RegExp> = { 4: /^10\./, 6: /^fd00:10:/ };
    for (const { family, source } of pods(cells)) expect(source).toMatch(shares[family] as RegExp);
    expect(left()).toEqual([]);
  });

  it('stays as it is when it is routed again: no changing command, the same objects', async () => {
    const before = objects();
    lab.takeCalls();
    expect((await lab.lab('route', lab.dir)).code).toBe(0);
    const listing = /^ip -4 route show/;
    expect(lab.takeCalls().filter((call) => isChanging(call) && !listing.test(call.at(-1) ?? ''))).toEqual([]);
    expect(objects()).toEqual(before);
  });

  it('names the first hop after drift, in agreement with what it measured', async () => {
    const routes = run('docker', ['exec', 'lvf-dual-worker', 'ip', '-4', 'route', 'show']);
    const route = /^(\S+) .*\bmetric 76\b/m.exec(routes)?.[1] ?? '';
    run('docker', ['exec', 'lvf-dual-worker', 'ip', 'route', 'del', route]);
    run('docker', ['exec', 'lvf-v4-control-plane', 'iptables', '-w', '-t', 'nat', '-D', 'KIND-MASQ-AGENT', '1']);
    const { code, cells } = await verify();
    expect(code).toBe(1);
    expectAgreement(cells);
    const failed = cells.filter(({ result }) => result === 'failed');
    expect(new Set(failed.map(({ reason }) => reason))).toEqual(
      new Set([
        `no route on lvf-dual-worker to ${route}`,
        // What arrives as the node needs no way back.
        'masqueraded by chain KIND-MASQ-AGENT on lvf-v4-control-plane',
      ]),
    );
    const masqueraded = failed.filter(({ reason }) => reason?.startsWith('masqueraded'));
    for (const { source } of masqueraded) expect(source).toMatch(/^172\./);
    const repair = [...new Set(failed.map((cell) => cell.repair as string))];
    for (const line of repair) expect((await lab.lab(...line.split(' ').slice(1))).code).toBe(0);
    expect((await verify()).code).toBe(0);
  });

  it('shows one path hop by hop', async () => {
    const [client] = run('docker', ['exec', 'lvf-v4-control-plane', 'hostname']).split('\n');
    expect(client).toBe('lvf-v4-control-plane');
    const pod = lab
      .kubectl('lvf-v4', '-n', 'kube-system', 'get', 'pods', '-l', 'k8s-app=kube-dns', '-o', 'name')
      .split('\n')[0];
    const from = `lvf-v4/kube-system/${pod?.replace('pod/', '')}`;
    const path = await lab.lab('verify', lab.dir, from, 'lvf-dual/kube-system/kube-dns');
    expect(path.code).toBe(0);
    expect(path.stdout).toMatch(
      /there {2}lvf-v4-control-plane: route 10\.\S+ via 172\.\S+; rule KIND-MASQ-AGENT -d 10\.\S+ -j RETURN/,
    );
    expect(path.stdout).toMatch(/ok: answered, and arrived as 10\./);
    const nothing = await lab.lab('verify', lab.dir, from, 'lvf-dual/kube-system/nothing');
    expect(nothing.code).toBe(1);
    expect(nothing.stderr).toContain('lvf-dual has no pod or service nothing in namespace kube-system');
  });

  it('leaves nothing behind when it is interrupted', async () => {
    const child = lab.start('verify', lab.dir);
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
    });
    const ended = finish(child);
    await until('the probes run', 60, () => /lvf-v6 +✔/.test(said));
    child.kill('SIGINT');
    expect((await ended).code).toBe(130);
    expect(left().filter((text) => text.includes('lab-verify'))).toEqual([]);
  });

  it('finds no answer of a wrong cluster while addresses are swapped, and every way open after a repair', async () => {
    const address = (node: string) =>
      run('docker', ['inspect', node, '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}']);
    const before = address('lvf-v4-control-plane');
    // The v6-only cluster stays up, with routes to addresses that are given to others.
    const swapped = ['lvf-v4-control-plane', 'lvf-dual-control-plane', 'lvf-dual-worker'];
    // Whoever starts first gets the lowest address: each gets that of another one.
    const place = Object.fromEntries(swapped.map((node) => [node, Number(address(node).split('.').at(-1))]));
    const [lowest = '', ...others] = swapped.toSorted((a, b) => (place[a] ?? 0) - (place[b] ?? 0));
    run('docker', ['stop', ...swapped]);
    for (const node of [...others, lowest]) run('docker', ['start', node]);
    expect(address('lvf-v4-control-plane')).not.toBe(before);
    await until('all nodes are ready again', 180, () =>
      ['lvf-v4', 'lvf-dual'].every((name) => {
        try {
          return !lab.kubectl(name, 'get', 'nodes', '--request-timeout=5s').includes('NotReady');
        } catch {
          return false;
        }
      }),
    );
    const { code, cells } = await verify();
    expect(code).toBe(1);
    expect(cells.filter(({ reason }) => reason?.startsWith('something else'))).toEqual([]);
    expectAgreement(cells);
    expect((await lab.lab('repair', lab.dir)).code).toBe(0);
    const whole = await verify();
    expect(whole.cells.filter(({ result }) => result === 'failed')).toEqual([]);
  });

  it('is whole again after one cluster was rebuilt with other ranges, by a repair', async () => {
    lab.write('v4.yaml', cluster('lvf-v4', '{group: flat, network: {pods: [10.77.0.0/16]}}'));
    expect((await lab.lab('create', lab.dir, 'lvf-v4', '--recreate', 'lvf-v4')).code).toBe(0);
    expect((await verify()).code).toBe(1);
    expect((await lab.lab('repair', lab.dir)).code).toBe(0);
    const { cells } = await verify();
    expect(cells.filter(({ result }) => result === 'failed')).toEqual([]);
    const routes = run('docker', ['exec', 'lvf-dual-worker', 'sh', '-c', 'ip -4 route show | grep "metric 76"']);
    expect(routes.split('\n').map((line) => line.split(' ')[0])).toEqual(['10.77.0.0/24']);
  });

  it('leaves nothing of a deleted member on its peers', async () => {
    expect((await lab.lab('delete', lab.dir, 'lvf-v4')).code).toBe(0);
    for (const node of ['lvf-dual-control-plane', 'lvf-dual-worker']) {
      const left = run('docker', ['exec', node, 'sh', '-c', 'ip -4 route show; iptables -w -t nat -S KIND-MASQ-AGENT']);
      expect(left).not.toContain('10.77.');
    }
    const { cells } = await verify();
    const failed = cells.filter(({ result }) => result === 'failed');
    expect(new Set(failed.map(({ reason }) => reason))).toEqual(new Set(['lvf-v4 does not exist']));
  });
});
