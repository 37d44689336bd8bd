import type { Desired, DesiredCluster } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Plan, Step, WaitStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { MESH_PROBES, PROBE_PORT, PROBES } from '../tools/kube-api.ts';
import { applyStep, kubectlArgv } from '../tools/kubectl.ts';
import { meshProbeSteps } from './plan-mesh-probes.ts';
import { verbPlan } from './verb-plan.ts';

export interface ProbeImages {
  /** The image for a node; undefined where none is known to be there. */
  imageOf(node: string): string | undefined;
}

/** A pod on every node of the clusters, and a load balancer in front of one of them: in a namespace of their own. */
export function planProbes(desired: Desired, names: readonly string[], images: ProbeImages): Plan {
  const clusters = desired.clusters.filter(({ name }) => names.includes(name));
  const steps = clusters.flatMap((cluster): Step[] => {
    const objects = manifests(desired, cluster, images);
    const pods = objects.filter(({ kind }) => kind === 'Pod').length;
    if (pods === 0) return [];
    const apply = applyStep({
      id: `${cluster.name}/probes`,
      title: `put a probe on ${pods === 1 ? 'the node' : `${pods} nodes`}`,
      cluster: cluster.name,
      needs: [],
      from: { objects },
      why: 'A namespace has its service account a moment after it is made, and takes no pod before.',
    });
    const wait: WaitStep = {
      ...step(cluster.name, 'probes-ready', 'wait for the probes'),
      kind: 'wait',
      needs: [apply.id],
      kubeconfig: kubeconfigFile(cluster.name),
      for: { resource: 'pods', namespace: PROBES, count: pods },
    };
    return [apply, wait];
  });
  const meshed = names.filter((name) => inMesh(desired, name));
  return plan(desired, [...steps, ...meshProbeSteps(desired, meshed, (node) => images.imageOf(node))]);
}

/** Whether somebody links to the cluster, or it to somebody. */
const inMesh = ({ links }: Desired, name: string): boolean =>
  links.some(({ from, to }) => from === name || to === name);

/** Takes away what the probes needed, also what a killed run left. */
export const planCleanup = (desired: Desired, names: readonly string[]): Plan =>
  plan(
    desired,
    names.map((name) => ({
      ...step(name, 'clean', 'remove the probes'),
      kind: 'run',
      argv: kubectlArgv(name, [
        ...[
          'delete',
          'namespace',
          PROBES,
          ...(inMesh(desired, name) ? [MESH_PROBES.namespace] : []),
          '--ignore-not-found',
        ],
      ]),
    })),
  );

const step = (cluster: string, id: string, title: string) => ({
  id: `${cluster}/${id}`,
  title,
  clusters: [cluster],
  needs: [],
  timeout: 60,
});

const plan = (desired: Desired, steps: readonly Step[]): Plan =>
  verbPlan('verify', desired, steps, `Plan: ${formatCount(steps.length, 'step')} to measure.`);

function manifests(
  { nodes, loadBalancer }: Desired,
  cluster: DesiredCluster,
  { imageOf }: ProbeImages,
): { kind: string }[] {
  const own = nodes.filter((node) => node.cluster === cluster.name && imageOf(node.node) !== undefined);
  const metadata = (name: string) => ({ name, namespace: PROBES, labels: { lab: 'probe' } });
  const pods = own.map(({ node }) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(node),
    spec: {
      // Past the scheduler: every node is measured, also one that takes no workload.
      nodeName: node,
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'probe', image: imageOf(node), imagePullPolicy: 'IfNotPresent' }],
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      enableServiceLinks: false,
    },
  }));
  const families = cluster.loadBalancer.map(({ family }) => `IPv${family}`);
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadata('pool'),
    spec: {
      type: 'LoadBalancer',
      ipFamilyPolicy: families.length > 1 ? 'RequireDualStack' : 'SingleStack',
      ipFamilies: families,
      selector: { lab: 'probe' },
      ports: [{ port: PROBE_PORT }],
    },
  };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: PROBES } };
  return [namespace, ...pods, ...(loadBalancer.addon === 'none' || families.length === 0 ? [] : [service])];
}
