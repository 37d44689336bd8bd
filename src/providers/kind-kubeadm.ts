import type { IpFamily } from '../lab/lab.ts';
import { writeYaml } from '../tools/write-yaml.ts';

/**
 * Patches for another node mask than kubeadm's (24, 64). kind renders kubeadm v1beta4, whose extraArgs are a list,
 * from Kubernetes 1.36 on and v1beta3, whose are a map, before: a patch that names its version only applies there,
 * so both are given. A single-stack controller manager refuses the other family's flag.
 */
export function nodeMaskPatches(family: IpFamily, [v4, v6]: readonly [number, number]): string[] {
  if (v4 === 24 && v6 === 64) return [];
  const args = {
    ...(family !== 'ipv6' && { 'node-cidr-mask-size-ipv4': String(v4) }),
    ...(family !== 'ipv4' && { 'node-cidr-mask-size-ipv6': String(v6) }),
  };
  const list = Object.entries(args).map(([name, value]) => ({ name, value }));
  return (
    [
      ['v1beta3', args],
      ['v1beta4', list],
    ] as const
  ).map(([version, extraArgs]) =>
    writeYaml({
      apiVersion: `kubeadm.k8s.io/${version}`,
      kind: 'ClusterConfiguration',
      controllerManager: { extraArgs },
    }),
  );
}
