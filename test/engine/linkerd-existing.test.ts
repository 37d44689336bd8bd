import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cluster, EngineLab, isChanging, run, until } from './engine.ts';
import { ForeignCluster } from './foreign-cluster.ts';
import { ask, CLIENT, describeWithLinkerd, IMAGES, leftOfLinks, mesh, runPods, webServer } from './linkerd-lab.ts';

const THEIRS = 'lkx-theirs';
const METALLB =
  process.env.LAB_TEST_METALLB_MANIFEST ??
  'https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml';

/** A cluster made by kind alone, with a load balancer of its own, meshed with one of a lab. */
describeWithLinkerd('the mesh of a cluster that somebody else made', () => {
  let lab: EngineLab;
  let theirs: ForeignCluster;
  let before: { readonly machine: string; readonly objects: readonly string[] };
  const labFile = (mode: string) =>
    `kind: Lab\nmetadata: {name: lkx}\nspec: {network: {adopt: kind}, mesh: ${mesh()}, groups: {g: {mode: ${mode}}}}\n`;

  beforeAll(() => {
    lab = new EngineLab({
      'lab.yaml': labFile('gateway'),
      'mine.yaml': cluster('lkx-mine', `{group: g, images: [${IMAGES.map((image) => `"${image}"`).join(', ')}]}`),
      'theirs.yaml': cluster(
        'joined',
        `{provider: existing, context: kind-${THEIRS}, kubeconfig: ../theirs.yaml, group: g}`,
      ),
    });
    theirs = new ForeignCluster(THEIRS, join(lab.root, 'theirs.yaml'));
    theirs.create();
    run('kind', ['load', 'docker-image', '--name', THEIRS, ...IMAGES]);
    balance();
    before = { machine: machine(), objects: theirs.objects() };
  });
  afterAll(async () => {
    try {
      await lab?.remove();
    } finally {
      theirs?.remove();
    }
  });

  /** What its owner has to do first: `lab` installs no load balancer there. */
  const balance = (): void => {
    theirs.kubectl('apply', '-f', METALLB);
    theirs.kubectl(
      '-n',
      'metallb-system',
      'wait',
      'deployment/controller',
      '--for=condition=Available',
      '--timeout=120s',
    );
    const subnets = run('docker', [
      'network',
      'inspect',
      'kind',
      '--format',
      '{{range .IPAM.Config}}{{.Subnet}} {{end}}',
    ]);
    const [prefix = ''] = /\d+\.\d+(?=\.)/.exec(subnets) ?? [];
    const metadata = 'metadata: {name: theirs, namespace: metallb-system}';
    const pool = `spec: {addresses: [${prefix}.100.1-${prefix}.100.9]}`;
    theirs.apply(`apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\n${metadata}\n${pool}\n---
apiVersion: metallb.io/v1beta1\nkind: L2Advertisement\n${metadata}\n`);
  };
  /** Pods come and go, and kindnet has a route to each. */
  const machine = (): string => theirs.machine().replaceAll(/^.* dev veth.*\n/gm, '');
  const words = async (...args: string[]) => {
    const outcome = await lab.lab(...args);
    expect(outcome.code, `${outcome.stdout}${outcome.stderr}`).toBe(0);
    return outcome;
  };
  /** What is in it now and was not before, without what belongs to Linkerd itself. */
  const added = (): string[] => {
    const own = /\/(linkerd|kube-root-ca)|\.linkerd\.io$|gateway\.networking(\.x-k8s)?\.k8s\.io$/;
    return theirs.objects().filter((line) => !before.objects.includes(line) && !own.test(line));
  };

  it('comes with the lab: certificates, Linkerd, and links by gateways both ways', async () => {
    await words('up', lab.dir);
    const mine = lab.at('lkx-mine');
    runPods(theirs, `${webServer('theirs')}---\n${CLIENT}`, 'web', 'client');
    runPods(mine, `${webServer('mine')}---\n${CLIENT}`, 'web', 'client');
    await until('an answer of theirs', 60, () => ask(mine, 'gated-joined').includes('from theirs'));
    await until('an answer of mine', 60, () => ask(theirs, 'gated-lkx-mine').includes('from mine'));
    await words('status', lab.dir, '--exit-code');
    const cells: { kind: string; mode?: string; result: string }[] = JSON.parse(
      (await words('verify', lab.dir, '-o', 'json')).stdout,
    );
    expect(cells.filter(({ result }) => result !== 'ok')).toEqual([]);
    expect(cells.filter(({ kind, mode }) => kind === 'request' && mode === 'gateway')).toHaveLength(2);
  });

  it('changes nothing the second time', async () => {
    lab.takeCalls();
    await words('up', lab.dir);
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
  });

  it('keeps nothing of links that go', async () => {
    lab.write('lab.yaml', labFile('routes-only'));
    await words('link', lab.dir);
    for (const one of [theirs, lab.at('lkx-mine')]) expect(leftOfLinks(one, 'joined', 'lkx-mine')).toEqual([]);
    lab.write('lab.yaml', labFile('gateway'));
    await words('link', lab.dir);
    await until('an answer of theirs', 60, () => ask(lab.at('lkx-mine'), 'gated-joined').includes('from theirs'));
  });

  it('keeps Linkerd, and nothing else of the lab, when that is deleted', async () => {
    const deleted = await lab.lab('delete', lab.dir, '--all');
    expect(deleted.code, deleted.stderr).toBe(0);
    expect(deleted.stdout.trim()).toBe('cluster/lkx-mine deleted');
    expect(deleted.stderr).toContain('joined keeps its Linkerd');
    expect(machine()).toBe(before.machine);
    expect(leftOfLinks(theirs, 'lkx-mine').filter((line) => !line.endsWith('/linkerd-gateway'))).toEqual([]);
    theirs.kubectl('delete', 'namespace', 'demo');
    expect(added()).toEqual([]);
  });
});
