import type { Desired } from '../lab/desired.ts';
import type { Cluster } from '../lab/lab.ts';
import { KERNEL_FEATURES, type KernelFeature, type Observed } from '../lab/observed.ts';
import type { Change } from './change.ts';
import type { Preflight } from './preflight.ts';
import { clustersToMake } from './summary.ts';

/** What a cluster asks of the kernel that all nodes share, and by which key of its spec. */
function needsOf({ network: { proxyMode, calico } }: Cluster): { feature: KernelFeature; because: string }[] {
  const encapsulation = calico?.encapsulation;
  const because = `network.calico.encapsulation ${encapsulation}`;
  return [
    ...(proxyMode === 'ipvs' ? [{ feature: 'ip_vs' as const, because: 'network.proxyMode ipvs' }] : []),
    ...(encapsulation?.startsWith('VXLAN') ? [{ feature: 'vxlan' as const, because }] : []),
    ...(encapsulation?.startsWith('IPIP') ? [{ feature: 'ipip' as const, because }] : []),
  ];
}

const INSTEAD: Readonly<Record<KernelFeature, string>> = {
  ip_vs: 'use network.proxyMode nftables or iptables',
  vxlan: 'use network.calico.encapsulation None',
  ipip: 'use network.calico.encapsulation VXLANCrossSubnet',
};

/** kube-proxy or Calico would crash on every node, once all else is made. Nothing is said of what nothing tells. */
export function kernelChecks({ clusters }: Desired, { host }: Observed, changes: readonly Change[]): Preflight[] {
  const making = clustersToMake(changes);
  const wanting = clusters
    .filter(({ name }) => making.includes(name))
    .flatMap(({ name, spec }) => needsOf(spec).map((need) => ({ ...need, name })));
  return KERNEL_FEATURES.flatMap((feature): Preflight[] => {
    const of = wanting.filter((one) => one.feature === feature);
    const there = host.kernel?.[feature];
    const [first] = of;
    if (!first || there === undefined) return [];
    const names = of.map(({ name }) => name).join(', ');
    if (there) return [{ name: 'kernel', result: 'ok', detail: `this kernel has ${feature}, which ${names} need` }];
    return [
      {
        name: 'kernel',
        result: 'failed',
        detail: `this kernel has no ${feature}, and ${names} need it (${first.because})`,
        hint: `${INSTEAD[feature]}; or, if the kernel has it as a module: sudo modprobe ${feature}`,
      },
    ];
  });
}
