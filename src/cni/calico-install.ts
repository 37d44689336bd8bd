import type { DesiredCluster } from '../lab/desired.ts';
import type { Encapsulation } from '../lab/lab.ts';
import type { RunStep, Value, WaitStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { kubectlArgv } from '../tools/kubectl.ts';
import { writeYaml } from '../tools/write-yaml.ts';

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
  const files = manifests.flatMap(({ location }) => ['-f', location]);
  const operator: RunStep = {
    ...step(cluster, 'calico', "install Calico's operator", needs, 180),
    kind: 'run',
    why: 'On the server: its resources are too large for an annotation with all of them.',
    argv: applyArgv(cluster, files),
    // The API server may not answer yet right after the nodes are made; a URL may fail for once.
    retry: {
      on: ['connection refused', 'was refused', 'EOF', 'timeout', 'Unable to connect', 'ServiceUnavailable'],
      every: 2,
      for: 60,
    },
  };
  const installation: RunStep = {
    ...step(cluster, 'calico-pools', `give pods ${pools(cluster)} by Calico`, [operator.id], 120),
    kind: 'run',
    argv: applyArgv(cluster, ['-f', '-']),
    stdin: writeYaml(installationOf(cluster)),
    // A resource is known a moment after its definition is there.
    retry: { on: ['no matches for kind', 'could not find the requested resource', 'was refused'], every: 1, for: 60 },
  };
  return [operator, installation];
}

export const waitStep = (cluster: DesiredCluster, needs: readonly string[]): WaitStep => ({
  ...step(cluster, 'calico-node', 'wait for Calico on every node', needs, 300),
  kind: 'wait',
  kubeconfig: kubeconfigFile(cluster.name),
  for: { resource: 'daemonset', ...CALICO_DAEMONS },
});

const pools = ({ podPools = [] }: DesiredCluster): string => podPools.map(({ cidr }) => cidr).join(' and ');

const step = ({ name }: DesiredCluster, id: string, title: string, needs: readonly string[], timeout: number) => ({
  id: `${name}/${id}`,
  title,
  clusters: [name],
  needs,
  timeout,
});

const applyArgv = ({ name }: DesiredCluster, files: readonly string[]): Value[] =>
  kubectlArgv(name, ['apply', '--server-side', '--force-conflicts', '--field-manager=lab', ...files]);

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
