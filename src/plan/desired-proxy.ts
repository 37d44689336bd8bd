import type { Desired } from '../lab/desired.ts';
import { LINKERD } from '../lab/linkerd.ts';
import type { Observed } from '../lab/observed.ts';
import type { DesiredWorkload, Spire } from '../lab/workload.ts';
import { controlPlaneValues } from '../mesh/linkerd-values.ts';
import type { KeyPairFiles } from '../step/step.ts';
import { PROXY } from '../tools/linkerd-proxy.ts';
import { AGENT_SOCKET } from '../tools/spire.ts';
import { anchorFiles } from './plan-certificates.ts';
import { pairOf, rotationOf } from './rotation.ts';

/** Linkerd's proxy beside a workload, with the SPIRE that it has its identity from. */
export interface DesiredProxy {
  readonly images: Required<Spire['images']>;
  readonly settings: Readonly<Record<string, string>>;
  /** What SPIRE signs with. */
  readonly anchor: KeyPairFiles;
  /** All that it is made from, as text that can be compared; what is trusted by its fingerprint. */
  readonly inputs: string;
}

/** What should be beside a workload, or why that cannot be known yet; undefined where nothing was asked for. */
export function proxyOf(
  desired: Desired,
  observed: Observed,
  workload: DesiredWorkload,
): DesiredProxy | { readonly missing: string } | undefined {
  const { spire } = workload.spec;
  const cluster = desired.clusters.find(({ name }) => name === workload.cluster);
  const { certificates } = desired;
  if (!spire || !certificates || cluster?.spec.mesh.name !== 'linkerd') return undefined;
  const version = observed.clusters.find(({ name }) => name === cluster.name)?.api?.linkerd?.version;
  if (version === undefined)
    return { missing: `${cluster.name} has no Linkerd that answers (lab linkerd ${desired.lab.dir})` };
  const seen = observed.certificates;
  const slot = seen && rotationOf(certificates, seen).signer;
  const pair = slot && pairOf(seen, slot);
  if (!slot || !pair?.certificate || !pair.key?.fits)
    return { missing: 'the key of the trust anchor is not there, with which SPIRE would sign' };
  const values = controlPlaneValues(desired, cluster, cluster.spec.mesh);
  const name = textAt(values, 'proxy', 'image', 'name') ?? 'cr.l5d.io/linkerd/proxy';
  const proxy = spire.images.proxy ?? `${name}:${textAt(values, 'proxy', 'image', 'version') ?? version}`;
  const images = { ...spire.images, proxy };
  const settings = settingsOf(workload, values);
  const trusted = [pair.certificate, ...seen.bundle.trusted].map(({ fingerprint }) => fingerprint);
  return {
    images,
    settings,
    anchor: anchorFiles(certificates, slot),
    inputs: JSON.stringify([images, settings, trusted]),
  };
}

/** What the injector gives to a proxy in a pod, as far as there is such a thing outside of one. */
function settingsOf(
  { name, spec, identity, addresses }: DesiredWorkload,
  values: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const { namespace } = LINKERD;
  const domain = textAt(values, 'clusterDomain');
  const networks = textAt(values, 'clusterNetworks') ?? '';
  const destination = `linkerd-destination.${namespace}.serviceaccount.identity.${namespace}.${textAt(values, 'identityTrustDomain')}`;
  const own = { ns: spec.namespace, external_workload: name };
  const ipv6 = addresses.some(({ family }) => family === 6);
  const any = ipv6 ? '[::]' : '0.0.0.0';
  const settings = {
    LOG: 'warn,linkerd=info',
    IDENTITY_SERVER_ID: identity.id,
    IDENTITY_SERVER_NAME: identity.serverName,
    IDENTITY_SPIRE_SOCKET: `unix://${AGENT_SOCKET}`,
    DESTINATION_SVC_ADDR: `linkerd-dst-headless.${namespace}.svc.${domain}.:8086`,
    DESTINATION_SVC_NAME: destination,
    DESTINATION_CONTEXT: JSON.stringify({ ...own, nodeName: name }),
    DESTINATION_PROFILE_NETWORKS: networks,
    DESTINATION_PROFILE_SUFFIXES: `svc.${domain}.`,
    POLICY_SVC_ADDR: `linkerd-policy.${namespace}.svc.${domain}.:8090`,
    POLICY_SVC_NAME: destination,
    POLICY_WORKLOAD: JSON.stringify(own),
    POLICY_CLUSTER_NETWORKS: networks,
    INBOUND_DEFAULT_POLICY: textAt(values, 'proxy', 'defaultInboundPolicy') ?? 'all-unauthenticated',
    INBOUND_IPS: addresses.map(({ address }) => address).join(','),
    INBOUND_LISTEN_ADDR: `${any}:${PROXY.inbound}`,
    OUTBOUND_LISTEN_ADDRS: ['127.0.0.1', ...(ipv6 ? ['[::1]'] : [])].map((at) => `${at}:${PROXY.outbound}`).join(),
    CONTROL_LISTEN_ADDR: `${any}:${PROXY.control}`,
    ADMIN_LISTEN_ADDR: `${any}:${PROXY.admin}`,
  };
  return Object.fromEntries(Object.entries(settings).map(([key, value]) => [`LINKERD2_PROXY_${key}`, value]));
}

function textAt(values: unknown, ...path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    values,
  );
  return typeof found === 'string' && found !== '' ? found : undefined;
}
