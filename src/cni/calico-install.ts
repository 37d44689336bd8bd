import type { DesiredCluster } from '../lab/desired.ts';
import type { Encapsulation } from '../lab/lab.ts';
import type { RunStep, WaitStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { applyStep } from '../tools/kubectl.ts';

const RELEASE = 'https://raw.githubusercontent.com/projectcalico/calico/v3.32.1/manifests';

/** The pinned release: the resources that the operator reads, and the operator. */
export const CALICO_MANIFESTS = [`${RELEASE}/operator-crds.yaml`, `${RELEASE}/tigera-operator.yaml`] as const;

/** VXLAN, but only to nodes that are not on the same network: those of a lab all are. */
export const DEFAULT_ENCAPSULATION: Encapsulation = 'VXLANCrossSubnet';

/** What says that Calico runs on every node. */
export const CALICO_DAEMONS = { namespace: 'calico-system', name: 'calico-node' } as const;

/** The operator, and what it is to make of the cluster. */
export function installSteps(cluster: DesiredCluster, needs: readonly string[]): RunStep[] {
  const manifests = cluster.spec.network.calico?.manifests ?? [];
  const { name } = cluster;
  const operator = applyStep({
    id: `${name}/calico`,
    title: "install Calico's operator",
    cluster: name,
    needs,
    from: { files: manifests.map(({ location }) => location) },
    why: 'On the server: its resources are too large for an annotation with all of them.',
  });
  const installation = applyStep({
    id: `${name}/calico-pools`,
    title: `give pods ${pools(cluster)} by Calico`,
    cluster: name,
    needs: [operator.id],
    from: { objects: [installationOf(cluster)] },
  });
  return [operator, installation];
}

export const waitStep = (cluster: DesiredCluster, needs: readonly string[]): WaitStep => ({
  id: `${cluster.name}/calico-node`,
  title: 'wait for Calico on every node',
  clusters: [cluster.name],
  needs,
  timeout: 300,
  kind: 'wait',
  kubeconfig: kubeconfigFile(cluster.name),
  for: { resource: 'daemonset', ...CALICO_DAEMONS },
});

const pools = ({ podPools = [] }: DesiredCluster): string => podPools.map(({ cidr }) => cidr).join(' and ');

/**
 * https://github.com/tigera/operator/blob/v1.42.3/api/v1/installation_types.go. A pool says everything: for IPv6 the
 * default is neither NAT nor encapsulation.
 */
function installationOf({ podPools = [], spec }: DesiredCluster) {
  const { encapsulation = DEFAULT_ENCAPSULATION } = spec.network.calico ?? {};
  const families = podPools.map(({ family }) => family);
  return {
    apiVersion: 'operator.tigera.io/v1',
    kind: 'Installation',
    metadata: { name: 'default' },
    spec: {
      calicoNetwork: {
        // VXLAN finds its way without it; nothing else does.
        bgp: encapsulation.startsWith('VXLAN') ? 'Disabled' : 'Enabled',
        linuxDataplane: spec.network.proxyMode === 'nftables' ? 'Nftables' : 'Iptables',
        ...(families.includes(4) && { nodeAddressAutodetectionV4: { firstFound: true } }),
        ...(families.includes(6) && { nodeAddressAutodetectionV6: { firstFound: true } }),
        ipPools: podPools.map(({ cidr, family, blockSize }) => ({
          name: `lab-v${family}`,
          cidr,
          blockSize,
          encapsulation: family === 6 ? encapsulation6(encapsulation) : encapsulation,
          natOutgoing: 'Enabled',
          nodeSelector: 'all()',
        })),
      },
    },
  };
}

/** IPIP carries IPv4 only. */
const encapsulation6 = (encapsulation: Encapsulation): Encapsulation =>
  encapsulation.startsWith('IPIP') ? 'None' : encapsulation;
