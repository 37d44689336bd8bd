import type { Desired, DesiredCluster } from '../lab/desired.ts';
import type { AppliedCluster, Observed } from '../lab/observed.ts';
import { RECORD_ANNOTATION, RECORD_FILE } from '../lab/ownership.ts';
import type { RunStep, Step, Value } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';

/** Keeps what the cluster was made from where it outlives this machine's files: on the first server, and in the API. */
export function recordSteps(
  desired: Desired,
  observed: Observed,
  cluster: DesiredCluster,
  needs: readonly string[],
): Step[] {
  const server = cluster.nodes[0]?.name ?? '';
  const text = (ranges: readonly { readonly range: string }[]) => ranges.map(({ range }) => range);
  // An image that the engine no longer holds is still on the nodes.
  const loaded = observed.clusters.find(({ name, owner }) => name === cluster.name && owner === desired.lab.uid)
    ?.applied?.images;
  const record: AppliedCluster = {
    version: 1,
    lab: desired.lab.name,
    uid: desired.lab.uid,
    dir: desired.lab.path,
    fixed: cluster.fixed,
    pods: text(cluster.pods),
    services: text(cluster.services),
    loadBalancer: text(cluster.loadBalancer),
    ...(cluster.spec.zone !== undefined && { zone: cluster.spec.zone }),
    images: Object.fromEntries(
      cluster.spec.images.map((image) => [image, observed.images[image] ?? loaded?.[image] ?? '']),
    ),
  };
  const json = JSON.stringify(record);
  const step = (
    id: string,
    title: string,
    after: readonly string[],
    argv: readonly Value[],
    stdin?: string,
  ): RunStep => ({
    kind: 'run',
    id: `${cluster.name}/${id}`,
    title,
    clusters: [cluster.name],
    needs: after,
    timeout: 30,
    argv,
    ...(stdin !== undefined && { stdin }),
  });
  return [
    {
      ...step(
        'record',
        'note on the node that it was ready',
        needs,
        [
          'docker',
          'exec',
          '-i',
          server,
          'sh',
          '-c',
          // A run that is killed cuts its input off, which `cat` would take for all of it: a whole line it must be.
          `IFS= read -r record && printf '%s\\n' "$record" > ${RECORD_FILE}.new && mv ${RECORD_FILE}.new ${RECORD_FILE}`,
        ],
        `${json}\n`,
      ),
      why: 'A cluster with this note is never made anew by a create; it can be read when the node is stopped.',
    },
    step(
      'mark',
      'note the same in the cluster',
      [`${cluster.name}/record`],
      [
        'kubectl',
        '--kubeconfig',
        kubeconfigFile(cluster.name),
        'annotate',
        'node',
        server,
        '--overwrite',
        `${RECORD_ANNOTATION}=${json}`,
      ],
    ),
  ];
}
