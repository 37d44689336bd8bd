import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster, describeOnEngine, EngineLab, run } from './engine.ts';

/** The stand-in is taken out of this image, so it has to be known. */
const IMAGE = process.env.LAB_TEST_NODE_IMAGE ?? '';
if (!IMAGE) process.stderr.write('SKIPPED, visibly: the Calico test needs LAB_TEST_NODE_IMAGE\n');
const PODS = ['fd00:10:cb::/104', '10.73.0.0/16'];

/** Definitions that take anything; the operator's own where LAB_TEST_CALICO_CRDS names their file. */
const definition = (group: string, kind: string, version: string): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: ${kind.toLowerCase()}s.${group}}
spec:
  group: ${group}
  scope: Cluster
  names: {kind: ${kind}, plural: ${kind.toLowerCase()}s, singular: ${kind.toLowerCase()}}
  versions:
    - name: ${version}
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`;
const DEFINITIONS = [
  definition('operator.tigera.io', 'Installation', 'v1'),
  definition('crd.projectcalico.org', 'IPPool', 'v1'),
].join('---\n');

/** The pod network that the node image brings, under the names of Calico's: it needs no image of its own. */
function standIn(image: string): string {
  const own = run('docker', ['run', '--rm', '--entrypoint', 'cat', image, '/kind/manifests/default-cni.yaml'])
    .replaceAll('namespace: kube-system', 'namespace: calico-system')
    .replaceAll('{{ .PodSubnet }}', PODS.join(','))
    .replaceAll('{{.PodSubnet}}', PODS.join(','))
    .replace('MASQUERADE_STYLE', 'kindnet')
    .replace('MASQUERADE_V6', 'true')
    .replace(/(kind: DaemonSet\s+metadata:\s*(?:\{|\n\s*))name: kindnet/, '$1name: calico-node');
  return `apiVersion: v1\nkind: Namespace\nmetadata: {name: calico-system}\n---\n${own}`;
}

/**
 * Calico itself is not made here: its images may not be at hand. What is: that a cluster without a pod network waits
 * for the one that is put there, that the resources for the operator are taken, and what peers are routed and told.
 */
(IMAGE ? describeOnEngine : describe.skip)('a dual-stack cluster whose pod network comes from a manifest', () => {
  let lab: EngineLab;
  beforeAll(async () => {
    lab = new EngineLab({ 'plain.yaml': cluster('lc-plain', '{group: g, ipFamily: dual}') });
    const definitions = process.env.LAB_TEST_CALICO_CRDS ?? join(lab.root, 'definitions.yaml');
    const network = join(lab.root, 'network.yaml');
    writeFileSync(join(lab.root, 'definitions.yaml'), DEFINITIONS);
    writeFileSync(network, standIn(IMAGE));
    lab.write(
      'cali.yaml',
      cluster(
        'lc-cali',
        `{group: g, ipFamily: dual, nodes: {workers: 1}, network: {cni: calico, proxyMode: nftables, nodeMask: [24, 112],
  calico: {manifest: ["${definitions}", "${network}"]},
  pods: ["${PODS[0]}", "${PODS[1]}"], services: ["fd00:96:cb::/112", 10.201.0.0/16]}}`,
      ),
    );
    const created = await lab.lab('create', lab.dir);
    expect(created.code, created.stderr).toBe(0);
    const routed = await lab.lab('route', lab.dir);
    expect(routed.code, routed.stderr).toBe(0);
  });
  afterAll(() => lab?.remove());

  it('has Ready nodes, its resources, and a proxy that lets packets of others pass', () => {
    const nodes = lab.kubectl('lc-cali', 'get', 'nodes', '-o', 'jsonpath={.items[*].status.conditions[-1:].status}');
    expect(nodes).toBe('True True');
    const pools = JSON.parse(
      lab.kubectl('lc-cali', 'get', 'installation', 'default', '-o', 'jsonpath={.spec.calicoNetwork.ipPools}'),
    );
    expect(pools.map(({ cidr, blockSize }: { cidr: string; blockSize: number }) => [cidr, blockSize])).toEqual([
      [PODS[0], 122],
      [PODS[1], 26],
    ]);
    for (const node of ['lc-cali-control-plane', 'lc-cali-worker'])
      expect(run('docker', ['exec', node, 'cat', '/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal'])).toBe('1');
  });

  it('is routed to as a whole by way of one node, and is told of its peer', async () => {
    const routes = run('docker', [
      ...['exec', 'lc-plain-control-plane', 'sh', '-c'],
      '(ip -4 route show; ip -6 route show) | grep "metric 76 "',
    ]);
    expect(routes.split('\n').map((line) => line.split(' ')[0])).toEqual([PODS[1], PODS[0]]);
    const told = lab.kubectl(
      'lc-cali',
      'get',
      'ippools.crd.projectcalico.org',
      '-o',
      'jsonpath={.items[*].spec.disabled}',
    );
    expect(told).toBe('true true');
    const again = JSON.parse((await lab.lab('route', lab.dir, '--dryrun', '-o', 'json')).stdout);
    expect(again.steps).toEqual([]);
  });

  it('answers its peer on every node, in both families, and inside', async () => {
    const cells: { kind: string; from: { cluster: string }; result: string }[] = JSON.parse(
      (await lab.lab('verify', lab.dir, '-o', 'json')).stdout,
    );
    const failed = cells.filter(({ result }) => result !== 'ok');
    // The stand-in, unlike Calico, asks no pool whether it may masquerade.
    expect(failed.filter(({ kind, from }) => !(kind === 'pod' && from.cluster === 'lc-cali'))).toEqual([]);
    expect(cells.filter(({ kind }) => kind === 'inside')).toHaveLength(8);
  });

  it('forgets the peer when that is deleted', async () => {
    expect((await lab.lab('delete', lab.dir, 'lc-plain')).code).toBe(0);
    expect(lab.kubectl('lc-cali', 'get', 'ippools.crd.projectcalico.org', '-o', 'name')).toBe('');
  });
});
