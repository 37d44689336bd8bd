import { describe, expect, test } from 'vitest';
import { CALICO_MANIFESTS } from '../../src/cni/calico-install.ts';
import { clusterText, labText, load, loadCluster, problemsOf, problemsOfSpec } from './spec-folder.ts';

const calico = (words: string, more = '') => `{${more}network: {cni: calico, ${words}}}`;

describe('network.cni', () => {
  test("is the provider's own, or Calico with the pinned operator", async () => {
    expect((await loadCluster('{}')).network).not.toHaveProperty('cni');
    expect((await loadCluster('{network: {cni: kindnet}}')).network).toMatchObject({ cni: 'kindnet' });
    expect((await loadCluster('{network: {cni: calico}}')).network).toMatchObject({
      cni: 'calico',
      calico: {
        manifests: CALICO_MANIFESTS.map((location) => ({ location })),
        encapsulation: 'VXLANCrossSubnet',
        pools: [],
      },
    });
  });

  test('has manifests beside the file that names them, known by their content', async () => {
    const { lab } = await load({
      'a.yaml': clusterText('a', '{network: {cni: calico}}'),
      'b.yaml': clusterText('b'),
      'lab.yaml': labText(
        '{defaults: {network: {calico: {manifest: [site/crds.yaml, "https://example.org/o.yaml"]}}}}',
      ),
      'site/crds.yaml': 'kind: List',
    });
    const [one, other] = lab.clusters;
    expect(one?.network.calico?.manifests).toEqual([
      { location: expect.stringMatching(/labs\/site\/crds\.yaml$/), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { location: 'https://example.org/o.yaml' },
    ]);
    // A default for clusters with Calico is none of the others' business.
    expect(other?.network.calico).toBeUndefined();
  });

  test('takes block sizes of one family or of both', async () => {
    const v6 = await loadCluster(calico('calico: {blockSize: 120}', 'ipFamily: ipv6, '));
    expect(v6.network.calico?.blockSize).toEqual([26, 120]);
    const v4 = await loadCluster(calico('calico: {blockSize: 28}'));
    expect(v4.network.calico?.blockSize).toEqual([28, 122]);
  });

  test.each([
    ['{network: {cni: flannel}}', 'cni: kind cannot have flannel (it can have kindnet or calico)'],
    ['{provider: k3d, network: {cni: calico}}', 'cni: k3d cannot have calico (it can have flannel)'],
    ['{network: {calico: {}}}', 'calico: the pod network is kindnet (set cni: calico, or leave the block out)'],
    [
      calico('pods: 10.4.0.0/16, calico: {pools: 10.5.0.0/18}'),
      'pools: 10.5.0.0/18 is outside the pod range 10.4.0.0/16',
    ],
    [calico('calico: {pools: 10.5.0.0/18}'), 'pools: 10.5.0.0/18 is part of no pinned pod range'],
    [calico('calico: {pools: "fd00:10::/64"}'), 'pools: fd00:10::/64 is IPv6, but ipFamily is ipv4'],
    [calico('pods: 10.4.0.0/16, calico: {pools: [10.4.0.0/18, 10.4.64.0/18]}'), 'pools: a second IPv4 pool'],
    [calico('pods: 10.4.0.0/16, calico: {pools: 10.4.0.0/24, blockSize: 22}'), '10.4.0.0/24 is smaller than one block'],
    [calico('calico: {blockSize: 28}', 'ipFamily: dual, '), 'blockSize: a dual-stack cluster has two'],
    [calico('calico: {manifest: nowhere.yaml}'), 'manifest: "nowhere.yaml": no such file'],
    [calico('calico: {manifest: "http://example.org/o.yaml"}'), 'manifest: expected a file or an https URL'],
    [calico('calico: {encapsulation: Vxlan}'), 'encapsulation: expected'],
  ])('%s', async (spec, problem) => {
    expect(await problemsOfSpec(spec)).toEqual([expect.stringContaining(problem)]);
  });

  test('a wrong default is told of where it is written', async () => {
    const loading = load({
      'a.yaml': clusterText('a', '{network: {cni: calico}}'),
      'lab.yaml': labText('{defaults: {network: {calico: {manifest: nowhere.yaml}}}}'),
    });
    expect(await problemsOf(loading)).toEqual([expect.stringMatching(/^labs\/lab\.yaml:2:\d+: manifest: /)]);
  });
});
