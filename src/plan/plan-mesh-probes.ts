import { stringify } from 'yaml';
import type { Desired } from '../lab/desired.ts';
import type { RunStep, Step, WaitStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { MESH_PROBES, PROBE_PORT, PROBE_TOO_SOON } from '../tools/kube-api.ts';
import { kubectlArgv } from '../tools/kubectl.ts';

const { namespace, pod } = MESH_PROBES;

/**
 * A pod with Linkerd's proxy in each of these clusters, and services in front of it that links mirror. Nobody listens in
 * it: its proxy takes the request in, and counts who sent it. Its service account has the cluster's name, because that
 * is all that an identity tells of where a pod is.
 */
export function meshProbeSteps(
  desired: Desired,
  names: readonly string[],
  imageOf: (node: string) => string | undefined,
): Step[] {
  return names.flatMap((cluster): Step[] => {
    const node = desired.nodes.findLast((one) => one.cluster === cluster && imageOf(one.node) !== undefined)?.node;
    if (node === undefined) return [];
    const base = { clusters: [cluster], timeout: 120 };
    const apply: RunStep = {
      ...base,
      kind: 'run',
      id: `${cluster}/mesh-probe`,
      title: 'put a probe into the mesh',
      needs: [],
      argv: kubectlArgv(cluster, ['apply', '--server-side', '--field-manager=lab', '-f', '-']),
      stdin: manifests(cluster, node, imageOf(node) ?? '')
        .map((object) => stringify(object))
        .join('---\n'),
      retry: { on: PROBE_TOO_SOON, every: 1, for: 60 },
    };
    const wait: WaitStep = {
      ...base,
      kind: 'wait',
      id: `${cluster}/mesh-probe-ready`,
      title: 'wait for the probe in the mesh',
      needs: [apply.id],
      kubeconfig: kubeconfigFile(cluster),
      for: { resource: 'pods', namespace, count: 1 },
    };
    return [apply, wait];
  });
}

function manifests(cluster: string, nodeName: string, image: string) {
  const labels = { lab: 'mesh-probe' };
  const service = (name: string, exported: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels: { 'mirror.linkerd.io/exported': exported } },
    spec: { selector: labels, ports: [{ port: PROBE_PORT }] },
  });
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: cluster, namespace } },
    service(MESH_PROBES.flat, 'remote-discovery'),
    service(MESH_PROBES.gateway, 'true'),
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, namespace, labels, annotations: { 'linkerd.io/inject': 'enabled' } },
      spec: {
        nodeName,
        serviceAccountName: cluster,
        tolerations: [{ operator: 'Exists' }],
        containers: [{ name: 'probe', image, imagePullPolicy: 'IfNotPresent' }],
        terminationGracePeriodSeconds: 0,
        enableServiceLinks: false,
      },
    },
  ];
}
