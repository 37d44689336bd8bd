import type { Desired } from '../lab/desired.ts';
import { type FederatedService, LINKERD, type LinkRecord } from '../lab/linkerd.ts';
import type { LinkerdSpec, LinkMode } from '../lab/mesh.ts';
import type { Family } from '../net/address.ts';
import type { QueryStep, RunStep, Step, Value } from '../step/step.ts';
import { applyStep, changeStep } from '../tools/kubectl.ts';
import { deploymentStep, linkerdCall } from './linkerd-command.ts';

/** The deployment that mirrors services of a cluster. */
export const controllerOf = (to: string): string => `controller-${to}`;

/** One direction that is made, or made anew. */
export interface LinkWork {
  readonly uid: string;
  readonly from: string;
  readonly to: string;
  readonly mode: LinkMode;
  readonly byHand: boolean;
  /** Of the cluster that exports: its CLI writes the Link. */
  readonly spec: LinkerdSpec;
  /** The API server of `to` as pods of `from` reach it. */
  readonly server: Value;
  /** The Link is there, with credentials that are no longer right. */
  readonly anew: boolean;
  /** Steps after which `to` can be asked for the credentials. */
  readonly exporter: readonly string[];
  /** Steps after which `from` knows what a Link is. */
  readonly consumer: readonly string[];
}

const LINKS = 'links.multicluster.linkerd.io';

/** Credentials from the cluster that exports, applied in the one that consumes, and a controller that runs with them. */
export function linkSteps(work: LinkWork): Step[] {
  const { from, to, mode, anew } = work;
  const id = `${from}/link/${to}`;
  const generate = generateStep(work, `${id}/generate`);
  // Linkerd's destination service sees that credentials come and go, but not that they change.
  const forget = anew
    ? [changeStep(work.from, `${id}/forget`, `forget the credentials for ${to}`, [generate.id], forgetArgs(to))]
    : [];
  const apply = applyStep({
    id,
    title: `link ${from} to ${to} (${mode})`,
    cluster: from,
    needs: [generate.id, ...forget.map((step) => step.id), ...work.consumer],
    from: { ref: generate.capture },
  });
  const record: LinkRecord = { uid: work.uid, mode, ...(work.byHand && { byHand: true }) };
  const note = changeStep(
    work.from,
    `${id}/note`,
    `note whose the link to ${to} is`,
    [apply.id],
    [
      ...['annotate', LINKS, to, '--namespace', LINKERD.multicluster, '--overwrite'],
      `${LINKERD.linkAnnotation}=${JSON.stringify(record)}`,
    ],
  );
  // Nor does the controller read them again while its Link stays the same.
  const restart = anew
    ? [
        changeStep(
          work.from,
          `${id}/restart`,
          `let the controller of ${to} read them`,
          [note.id],
          [...['rollout', 'restart', `deployment/${controllerOf(to)}`, '--namespace', LINKERD.multicluster]],
        ),
      ]
    : [];
  const last = [note, ...restart].slice(-1).map((step) => step.id);
  return [
    generate,
    ...forget,
    apply,
    note,
    ...restart,
    deploymentStep(from, LINKERD.multicluster, controllerOf(to), last),
  ];
}

function generateStep({ to, from, mode, spec, server, exporter }: LinkWork, id: string): QueryStep {
  return {
    kind: 'query',
    id,
    title: `make credentials for ${from} in ${to}`,
    clusters: [from],
    needs: exporter,
    timeout: 60,
    ...linkerdCall(spec, to, [
      ...['multicluster', 'link-gen', '--cluster-name', to, `--gateway=${mode === 'gateway'}`],
      ...['--api-server-address', server],
    ]),
    capture: id,
    retry: {
      on: [
        'could not find the token data',
        'could not find service account token secret',
        'serviceaccounts? "[^"]*" not found',
        // A gateway gets its address a little after its service.
        'has no ingress addresses',
        'services? "[^"]*" not found',
        'connection refused',
        'timeout',
      ],
      every: 2,
      for: 120,
    },
  };
}

const forgetArgs = (to: string): Value[] => [
  ...['delete', 'secret', `cluster-credentials-${to}`, '--namespace', LINKERD.namespace, '--ignore-not-found'],
];

export interface UnlinkWork {
  readonly from: string;
  readonly to: string;
  /** All of the consumer. */
  readonly federated: readonly FederatedService[];
}

/** Takes away a link and everything that came with it, by label, so that it does not matter what of it is there. */
export function unlinkSteps(work: UnlinkWork): RunStep[] {
  const { from, to } = work;
  const id = `${from}/unlink/${to}`;
  const label = `mirror.linkerd.io/cluster-name=${to}`;
  const namespaced = ['--namespace', LINKERD.multicluster, '--ignore-not-found'];
  // First: a controller that still runs would make its services again.
  const controller = changeStep(
    work.from,
    id,
    `end the controller of the link to ${to}`,
    [],
    [...['delete', 'deployment', controllerOf(to), '--cascade=foreground', ...namespaced]],
  );
  const link = changeStep(
    work.from,
    `${id}/link`,
    `remove the link to ${to}`,
    [controller.id],
    [
      ...['delete', `${LINKS}/${to}`, `secret/cluster-credentials-${to}`, `lease/service-mirror-write-${to}`],
      ...[`poddisruptionbudget/controller-${to}`, ...namespaced],
    ],
  );
  const credentials = changeStep(
    work.from,
    `${id}/credentials`,
    `forget the credentials for ${to}`,
    [controller.id],
    forgetArgs(to),
  );
  const mirrored = changeStep(
    work.from,
    `${id}/mirrored`,
    `remove what was mirrored from ${to}`,
    [link.id],
    [...['delete', 'services,endpoints,serviceaccounts,roles,rolebindings', '--all-namespaces', '--selector', label]],
  );
  const cluster = changeStep(
    work.from,
    `${id}/rights`,
    `remove the rights of the controller of ${to}`,
    [controller.id],
    [...['delete', 'clusterrolebindings', '--selector', label]],
  );
  const federated = work.federated.flatMap((service) => leaveStep(work, service, [link.id]) ?? []);
  return [controller, link, credentials, mirrored, cluster, ...federated];
}

/** The controllers leave a federated service as it is when their link goes. */
function leaveStep(work: UnlinkWork, service: FederatedService, needs: readonly string[]): RunStep | undefined {
  const { namespace, name, members, local } = service;
  const left = members.filter((member) => !member.endsWith(`@${work.to}`));
  if (left.length === members.length) return undefined;
  const id = `${work.from}/unlink/${work.to}/${namespace}/${name}`;
  const place = ['--namespace', namespace];
  if (left.length === 0 && !local)
    return changeStep(work.from, id, `remove ${namespace}/${name}: no member is left`, needs, [
      'delete',
      'service',
      name,
      ...place,
      '--ignore-not-found',
    ]);
  const value = left.length > 0 ? `=${left.join(',')}` : '-';
  return changeStep(work.from, id, `take ${work.to} out of ${namespace}/${name}`, needs, [
    ...['annotate', 'service', name, ...place, '--overwrite', `multicluster.linkerd.io/remote-discovery${value}`],
  ]);
}

/** Takes a gateway away that no cluster uses any more. */
export const removeGatewayStep = (cluster: string, needs: readonly string[]): RunStep => ({
  ...changeStep(cluster, `${cluster}/gateway-remove`, 'remove the gateway, which nobody uses', needs, [
    ...['delete', '--namespace', LINKERD.multicluster, '--ignore-not-found'],
    ...['deployment', 'service', 'serviceaccount'].map((kind) => `${kind}/${LINKERD.gateway}`),
    ...['servers.policy.linkerd.io', 'authorizationpolicies.policy.linkerd.io'].map(
      (kind) => `${kind}/${LINKERD.gateway}`,
    ),
    'meshtlsauthentications.policy.linkerd.io/any-meshed',
    'networkauthentications.policy.linkerd.io/source-cluster',
  ]),
});

/** Reads the address of a cluster that does not exist yet, once it does, as the URL of its API server. */
export function addressStep(
  desired: Desired,
  from: string,
  to: string,
  family: Family,
  needs: readonly string[],
): QueryStep {
  const server = desired.clusters.find(({ name }) => name === to)?.nodes[0]?.name ?? '';
  const id = `${from}/link/${to}/address`;
  const field = family === 6 ? 'GlobalIPv6Address' : 'IPAddress';
  const address = `{{(index .NetworkSettings.Networks "${desired.network.name}").${field}}}`;
  return {
    kind: 'query',
    id,
    title: `read the address of ${server}`,
    clusters: [from],
    needs,
    timeout: 30,
    argv: ['docker', 'inspect', '--format', `https://${family === 6 ? `[${address}]` : address}:6443`, server],
    capture: id,
  };
}
