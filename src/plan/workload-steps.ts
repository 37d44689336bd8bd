import type { Desired } from '../lab/desired.ts';
import { formatCount } from '../lab/format-count.ts';
import { type DesiredWorkload, type ObservedWorkload, WORKLOAD_LABELS } from '../lab/workload.ts';
import type { RunStep, Step } from '../step/step.ts';
import { inNetworkOf } from '../tools/docker.ts';
import { routeDelete, routeReplace } from '../tools/ip-route.ts';
import { EXTERNAL_WORKLOAD } from '../tools/kube-api.ts';
import { applyStep, kubectlArgv } from '../tools/kubectl.ts';

type Route = DesiredWorkload['routes'][number];

interface Named {
  readonly name: string;
  readonly cluster: string;
}

export const step = ({ name, cluster }: Named, id: string, title: string, needs: readonly string[], timeout = 60) => ({
  kind: 'run' as const,
  id: `workload/${name}/${id}`,
  title,
  clusters: [cluster],
  needs,
  timeout,
});

export const pullStep = (image: string, workload: DesiredWorkload, id = 'pull'): RunStep => ({
  ...step(workload, id, `pull ${image}, which ${workload.spec.at} asks for`, [], 900),
  argv: ['docker', 'pull', image],
});

/** Nothing is made before every image is there. */
export function afterPulls<One extends Step>(steps: readonly One[]): One[] {
  const pulls = steps.flatMap(({ id }) => (/^workload\/[^/]+\/pull/.test(id) ? [id] : []));
  return steps.map((one) => (one.needs.length > 0 || pulls.includes(one.id) ? one : { ...one, needs: pulls }));
}

/** Whose a container is. */
export const identityLabels = ({ lab }: Desired, { name, cluster }: DesiredWorkload) => ({
  [WORKLOAD_LABELS.uid]: lab.uid,
  [WORKLOAD_LABELS.name]: name,
  [WORKLOAD_LABELS.cluster]: cluster,
});

/** The container, with the cluster's own DNS: it answers at an address that no restart changes. */
export function runStep(desired: Desired, workload: DesiredWorkload, needs: readonly string[]): RunStep {
  const { network } = desired;
  const { name, spec, addresses, dns } = workload;
  const labels = {
    ...identityLabels(desired, workload),
    [WORKLOAD_LABELS.digest]: spec.digest,
    [WORKLOAD_LABELS.addresses]: addresses.map(({ address }) => address).join(','),
    [WORKLOAD_LABELS.network]: network.name,
  };
  return {
    ...step(workload, 'run', `run workload ${name} at ${addresses.map(({ address }) => address).join(' and ')}`, needs),
    why: "Docker's own resolver asks the cluster's DNS from inside the container, by way of the route to its services.",
    argv: [
      ...['docker', 'run', '--detach', '--name', name, '--hostname', name, '--restart', 'on-failure:1'],
      ...['--network', network.name],
      ...addresses.flatMap(({ address, family }) => [family === 4 ? '--ip' : '--ip6', address]),
      ...['--dns', dns],
      ...Object.entries(labels).flatMap(([key, value]) => ['--label', `${key}=${value}`]),
      ...Object.entries(spec.env).flatMap(([key, value]) => ['--env', `${key}=${value}`]),
      spec.image,
      ...(spec.command ?? []),
    ],
    precondition: {
      argv: ['docker', 'ps', '-aq', '--filter', `name=^/${name}$`],
      expect: 'empty',
      otherwise: 'stop',
      message: `a container called ${name} is there already`,
    },
  };
}

export const startStep = (workload: DesiredWorkload): RunStep => ({
  ...step(workload, 'start', `start workload ${workload.name}`, []),
  argv: ['docker', 'start', workload.name],
});

/** Takes a workload away, and what is beside it. */
export const removeStep = (found: ObservedWorkload): RunStep => ({
  ...step(found, 'discard', `remove the container of workload ${found.name}`, []),
  argv: ['docker', 'rm', '--force', '--volumes', ...found.sidecars, ...(found.digest === '' ? [] : [found.name])],
});

/** Takes away only what is beside it. */
export const unproxyStep = (found: ObservedWorkload): RunStep => ({
  ...step(found, 'discard', `remove what is left of the proxy of workload ${found.name}`, []),
  argv: ['docker', 'rm', '--force', '--volumes', ...found.sidecars],
});

export function workloadRouteStep(
  workload: DesiredWorkload,
  image: string,
  change: { readonly add: readonly Route[]; readonly remove: readonly Route[] },
  needs: readonly string[],
): RunStep {
  const { name } = workload;
  const lines = [...change.remove.map(routeDelete), ...change.add.map(routeReplace)];
  return {
    ...step(workload, 'routes', `route on workload ${name} (${formatCount(lines.length, 'route')})`, needs),
    why: 'Its image may have no program for routes: that of a node has, and is on the engine.',
    argv: [...inNetworkOf(name, image, '--interactive', '--cap-add', 'NET_ADMIN'), '-e'],
    stdin: `${lines.join('\n')}\n`,
  };
}

/** Writes the resource, and then, apart from it, that the workload is ready: a plain apply drops the status. */
export function resourceSteps({ lab }: Desired, workload: DesiredWorkload, needs: readonly string[]): RunStep[] {
  const { name, cluster, spec } = workload;
  const resource = applyStep({
    id: `workload/${name}/resource`,
    title: `tell ${cluster} of workload ${name}`,
    cluster,
    needs,
    from: {
      objects: [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: spec.namespace } },
        manifestOf(lab.uid, workload),
      ],
    },
  });
  const condition = { type: 'Ready', status: 'True', reason: 'Lab', message: 'lab runs it' };
  return [
    resource,
    {
      ...step(workload, 'ready', `say that workload ${name} is ready`, [resource.id]),
      argv: kubectlArgv(cluster, [
        ...['patch', `${EXTERNAL_WORKLOAD.resource}/${name}`, '--namespace', spec.namespace, '--type', 'merge'],
        ...['--subresource', 'status', '--patch', JSON.stringify({ status: { conditions: [condition] } })],
      ]),
      why: 'The status is a resource of its own; without Ready it has no endpoints.',
    },
  ];
}

export const forgetStep = (cluster: string, { name, namespace }: { name: string; namespace: string }): RunStep => ({
  ...step({ name, cluster }, 'forget', `take workload ${name} out of ${cluster}`, []),
  argv: kubectlArgv(cluster, [
    ...['delete', `${EXTERNAL_WORKLOAD.resource}/${name}`, '--namespace', namespace, '--ignore-not-found'],
  ]),
});

/** What the resource is written from, as text that can be compared. */
export const inputsOf = ({ spec, addresses, identity }: DesiredWorkload): string =>
  JSON.stringify([spec.ports, spec.labels, addresses.map(({ address }) => address), identity]);

function manifestOf(uid: string, workload: DesiredWorkload) {
  const { name, spec, addresses, identity } = workload;
  return {
    apiVersion: EXTERNAL_WORKLOAD.apiVersion,
    kind: 'ExternalWorkload',
    metadata: {
      name,
      namespace: spec.namespace,
      labels: { ...spec.labels, [EXTERNAL_WORKLOAD.label]: uid },
      annotations: { [EXTERNAL_WORKLOAD.annotation]: inputsOf(workload) },
    },
    spec: {
      meshTLS: { identity: identity.id, serverName: identity.serverName },
      workloadIPs: addresses.map(({ address }) => ({ ip: address })),
      ports: spec.ports.map((port) => ({ ...port })),
    },
  };
}
