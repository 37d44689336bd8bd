import type { DesiredCluster } from '../lab/desired.ts';
import type { Manifest } from '../lab/lab.ts';
import type { RunStep, Step, WaitStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { isRolledOut, pathOf } from '../tools/kube-api.ts';
import { applyStep } from '../tools/kubectl.ts';
import { type LoadBalancer, manifestId } from './addon.ts';

const NAMESPACE = 'metallb-system';
const POOL = 'lab';
const WORKLOADS = [
  { resource: 'deployment', namespace: NAMESPACE, name: 'controller' },
  { resource: 'daemonset', namespace: NAMESPACE, name: 'speaker' },
] as const;
/** Says on the pool which manifest was applied, so that another one is noticed. */
const MANIFEST_ANNOTATION = 'lab/manifest';
const CUSTOM = `/apis/metallb.io/v1beta1/namespaces/${NAMESPACE}`;

interface PoolObject {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly addresses?: readonly string[] };
}

/** MetalLB in layer 2 mode, and one pool with the cluster's addresses of every family. */
export const metallb: LoadBalancer = {
  name: 'metallb',
  title: 'MetalLB',
  manifest: 'https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml',
  install,
  waits,
  pool,
  reads: [...WORKLOADS.map(pathOf), `${CUSTOM}/ipaddresspools/${POOL}`, `${CUSTOM}/l2advertisements/${POOL}`],
  read: ([controller, speaker, found, advertisement]) => {
    if (controller === undefined) return undefined;
    const { metadata, spec } = (found ?? { metadata: {} }) as PoolObject;
    return {
      ready: isRolledOut(controller) && isRolledOut(speaker),
      manifest: metadata.annotations?.[MANIFEST_ANNOTATION] ?? '',
      pools: spec?.addresses ?? [],
      advertised: advertisement !== undefined,
    };
  },
};

function install(cluster: DesiredCluster, manifest: Manifest, needs: readonly string[]): Step[] {
  const { name } = cluster;
  const from = { files: [manifest.location] };
  const apply = applyStep({ id: `${name}/metallb`, title: 'install MetalLB', cluster: name, needs, from });
  const running = waits(cluster, [apply.id]);
  const controller = running.slice(0, 1).map(({ id }) => id);
  return [apply, ...running, pool(cluster, manifest, controller)];
}

/** Waits until the controller, first, and the speaker run. */
function waits(cluster: DesiredCluster, needs: readonly string[]): WaitStep[] {
  return WORKLOADS.map((workload) => ({
    kind: 'wait',
    id: `${cluster.name}/metallb-${workload.name}`,
    title: `wait for MetalLB's ${workload.name}`,
    clusters: [cluster.name],
    needs,
    timeout: 180,
    kubeconfig: kubeconfigFile(cluster.name),
    for: workload,
  }));
}

/** Writes the pool; also alone, when only its addresses changed. */
function pool(cluster: DesiredCluster, manifest: Manifest, needs: readonly string[]): RunStep {
  return applyStep({
    id: `${cluster.name}/pool`,
    title: `hand out ${cluster.loadBalancer.map(({ range }) => range).join(' and ')}`,
    cluster: cluster.name,
    needs,
    from: { objects: poolObjects(cluster, manifest) },
    why: 'A running controller is not enough: its webhook certificate is made at run time, so this is tried again.',
  });
}

function poolObjects(cluster: DesiredCluster, manifest: Manifest) {
  const metadata = { name: POOL, namespace: NAMESPACE };
  const addresses = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { ...metadata, annotations: { [MANIFEST_ANNOTATION]: manifestId(manifest) } },
    // Both families in one pool, or a dual-stack service gets only one address.
    spec: { addresses: cluster.loadBalancer.map(({ range }) => range) },
  };
  const advertisement = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'L2Advertisement',
    metadata,
    spec: { ipAddressPools: [POOL] },
  };
  return [addresses, advertisement];
}
