import type { Desired, DesiredCluster } from '../lab/desired.ts';
import type { AppliedCluster, Observed } from '../lab/observed.ts';
import { RECORD_ANNOTATION, RECORD_FILE } from '../lab/ownership.ts';
import type { RunStep } from '../step/step.ts';
import { changeStep } from '../tools/kubectl.ts';

type Images = AppliedCluster['images'];

/** Keeps what the cluster was made from where it outlives this machine's files: on the first server, and in the API. */
export function recordSteps(
  desired: Desired,
  observed: Observed,
  cluster: DesiredCluster,
  needs: readonly string[],
): RunStep[] {
  const { name } = cluster;
  // An image that the engine no longer holds is still on the nodes.
  const loaded = observed.clusters.find((one) => one.name === name && one.owner === desired.lab.uid)?.applied?.images;
  const images = cluster.spec.images.map((image) => [image, observed.images[image] ?? loaded?.[image] ?? '']);
  const json = recordOf(desired, cluster, Object.fromEntries(images));
  const note = noteStep(cluster, 'record', json, needs);
  const change = ['annotate', 'node', serverOf(cluster), '--overwrite', `${RECORD_ANNOTATION}=${json}`];
  return [
    note,
    { ...changeStep(name, `${name}/mark`, 'note the same in the cluster', [note.id], change), timeout: 30 },
  ];
}

/** The same before any image is loaded, and on the node alone. */
export const readyStep = (desired: Desired, cluster: DesiredCluster, needs: readonly string[]): RunStep =>
  noteStep(cluster, 'ready', recordOf(desired, cluster, {}), needs);

function recordOf({ lab }: Desired, cluster: DesiredCluster, images: Images): string {
  const text = (ranges: readonly { readonly range: string }[]) => ranges.map(({ range }) => range);
  const record: AppliedCluster = {
    version: 1,
    lab: lab.name,
    uid: lab.uid,
    dir: lab.path,
    fixed: cluster.fixed,
    pods: text(cluster.pods),
    services: text(cluster.services),
    loadBalancer: text(cluster.loadBalancer),
    ...(cluster.spec.zone !== undefined && { zone: cluster.spec.zone }),
    images,
  };
  return JSON.stringify(record);
}

const serverOf = ({ nodes }: DesiredCluster): string => nodes[0]?.name ?? '';

function noteStep(cluster: DesiredCluster, id: string, json: string, needs: readonly string[]): RunStep {
  // A run that is killed cuts its input off, which `cat` would take for all of it: a whole line it must be.
  const keep = `IFS= read -r record && printf '%s\\n' "$record" > ${RECORD_FILE}.new && mv ${RECORD_FILE}.new ${RECORD_FILE}`;
  return {
    kind: 'run',
    id: `${cluster.name}/${id}`,
    title: 'note on the node that it was ready',
    clusters: [cluster.name],
    needs,
    timeout: 30,
    argv: ['docker', 'exec', '-i', serverOf(cluster), 'sh', '-c', keep],
    stdin: `${json}\n`,
    why: 'A cluster with this note is never made anew by a create; it can be read when the node is stopped.',
  };
}
