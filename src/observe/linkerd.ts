import { createHash, X509Certificate } from 'node:crypto';
import {
  type FederatedService,
  LINKERD,
  type LinkerdCli,
  type LinkerdState,
  type LinkRecord,
  type LinkState,
} from '../lab/linkerd.ts';
import { type Runner, succeeded } from '../step/runner.ts';
import { isRolledOut, listOf, type Metadata } from '../tools/kube-api.ts';
import type { ApiClient } from './api-client.ts';

interface KubeObject {
  readonly metadata: Metadata;
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly targetClusterName?: string;
    readonly gatewayAddress?: string;
    readonly clusterCredentialsSecret?: string;
  };
  readonly status?: { readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] } };
}

interface Container {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
}

interface MeshedPod {
  readonly metadata: Metadata;
  readonly spec?: { readonly initContainers?: readonly Container[]; readonly containers?: readonly Container[] };
}

const MESHED_PODS = `/api/v1/pods?labelSelector=${encodeURIComponent('linkerd.io/control-plane-ns=linkerd')}`;
const MIRRORS = `/api/v1/services?labelSelector=${encodeURIComponent('mirror.linkerd.io/mirrored-service=true')}`;

/** Linkerd in a cluster; what is not there is left out. */
export async function readLinkerd(api: ApiClient): Promise<LinkerdState> {
  const namespace = `/api/v1/namespaces/${LINKERD.namespace}`;
  const get = async (path: string) => (await api.get(path)) as KubeObject | undefined;
  const [own, config, deployments, issuer, roots, crd, pods, extension] = await Promise.all([
    get(namespace),
    get(`${namespace}/configmaps/linkerd-config`),
    api.get(`/apis/apps/v1/namespaces/${LINKERD.namespace}/deployments`),
    get(`${namespace}/secrets/linkerd-identity-issuer`),
    get(`${namespace}/configmaps/linkerd-identity-trust-roots`),
    get('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/httproutes.gateway.networking.k8s.io'),
    api.get(MESHED_PODS),
    readExtension(api),
  ]);
  const version = /^linkerdVersion: "?([^\s"]+)/m.exec(config?.data?.values ?? '')?.[1];
  const inputs = own?.metadata.annotations?.[LINKERD.inputsAnnotation];
  const certificate = issuer?.data?.['crt.pem'] ?? issuer?.data?.['tls.crt'];
  const [issuing] = certificatesOf(certificate ? fromBase64(certificate) : '');
  const anchors = certificatesOf(roots?.data?.['ca-bundle.crt'] ?? '');
  return {
    present: own !== undefined,
    ...(version !== undefined && { version }),
    ...(inputs !== undefined && { inputs }),
    ready: areRolledOut(deployments, LINKERD.deployments),
    ...(crd && { gatewayAPI: crd.metadata.annotations?.['gateway.networking.k8s.io/bundle-version'] ?? 'unknown' }),
    ...(issuing && {
      issuer: fingerprintOf(issuing),
      issuerSignedBy: anchors.filter(({ publicKey }) => issuing.verify(publicKey)).map(fingerprintOf),
      issuerUntil: Math.floor(Date.parse(issuing.validTo) / 1000),
    }),
    anchors: anchors.map(fingerprintOf),
    outdated: outdatedProxies(pods, anchors.map(fingerprintOf)),
    extension,
  };
}

/** Linkerd's own pods are left out: they read the anchors from where the cluster has them. */
function outdatedProxies(pods: unknown, anchors: readonly string[]): LinkerdState['outdated'] {
  const sorted = anchors.toSorted().join();
  return listOf<MeshedPod>(pods).flatMap(({ metadata: { namespace, name }, spec }) => {
    const proxy = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].find(
      (one) => one.name === 'linkerd-proxy',
    );
    const trusted = proxy?.env?.find((one) => one.name === 'LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS')?.value;
    if (trusted === undefined) return [];
    const own = certificatesOf(trusted).map(fingerprintOf);
    return own.toSorted().join() === sorted ? [] : [{ pod: `${namespace}/${name}`, anchors: own }];
  });
}

/** The links of a cluster, as far as they must be known to take one away. */
export async function readExtension(api: ApiClient): Promise<LinkerdState['extension']> {
  const namespace = `/api/v1/namespaces/${LINKERD.multicluster}`;
  const [own, deployments, gateway, links, credentials, mirrors] = await Promise.all([
    api.get(namespace) as Promise<KubeObject | undefined>,
    api.get(`/apis/apps/v1/namespaces/${LINKERD.multicluster}/deployments`),
    api.get(`${namespace}/services/${LINKERD.gateway}`) as Promise<KubeObject | undefined>,
    api.get(`/apis/multicluster.linkerd.io/v1alpha3/namespaces/${LINKERD.multicluster}/links`),
    api.get(`${namespace}/secrets?fieldSelector=${encodeURIComponent('type=mirror.linkerd.io/remote-kubeconfig')}`),
    api.get(MIRRORS),
  ]);
  const inputs = own?.metadata.annotations?.[LINKERD.inputsAnnotation];
  const workloads = [LINKERD.localMirror, ...(gateway ? [LINKERD.gateway] : [])];
  const addresses = gateway?.status?.loadBalancer?.ingress?.flatMap(({ ip }) => ip ?? []) ?? [];
  const services = listOf<KubeObject>(mirrors);
  const secrets = new Map(listOf<KubeObject>(credentials).map((secret) => [secret.metadata.name, secret]));
  return {
    ...(inputs !== undefined && { inputs }),
    ready: areRolledOut(deployments, workloads),
    ...(gateway && { gateway: addresses }),
    links: listOf<KubeObject>(links).map((link) =>
      linkState(link, secrets.get(link.spec?.clusterCredentialsSecret ?? ''), { deployments, services }),
    ),
    federated: services.flatMap((service) => federatedService(service) ?? []),
  };
}

function linkState(
  { metadata, spec }: KubeObject,
  secret: KubeObject | undefined,
  seen: { readonly deployments: unknown; readonly services: readonly KubeObject[] },
): LinkState {
  const to = spec?.targetClusterName ?? metadata.name;
  const record = readRecord(metadata.annotations?.[LINKERD.linkAnnotation]);
  const version = metadata.annotations?.['linkerd.io/created-by']?.replace(/^linkerd\/cli /, '');
  // Not parsed as YAML: it is the CLI's own, and only two of its lines count. The token stays where it is.
  const kubeconfig = fromBase64(secret?.data?.kubeconfig ?? '');
  const server = /^\s*server: (\S+)$/m.exec(kubeconfig)?.[1];
  const ca = /^\s*(?:- )?certificate-authority-data: (\S+)$/m.exec(kubeconfig)?.[1];
  return {
    to,
    ...(record && { record }),
    ...(version !== undefined && { version }),
    gateway: spec?.gatewayAddress ? spec.gatewayAddress.split(',') : [],
    ...(server !== undefined && { server }),
    ...(ca !== undefined && { ca: createHash('sha256').update(Buffer.from(ca, 'base64')).digest('hex') }),
    ready: areRolledOut(seen.deployments, [`controller-${to}`]),
    services: seen.services
      .filter((service) => service.metadata.labels?.['mirror.linkerd.io/cluster-name'] === to)
      .filter(({ metadata: { labels } }) => labels?.['mirror.linkerd.io/mirrored-gateway'] === undefined)
      .map((service) => `${service.metadata.namespace}/${service.metadata.name}`),
  };
}

function federatedService({ metadata }: KubeObject): FederatedService | undefined {
  const { annotations = {}, labels = {}, namespace = '', name } = metadata;
  // A mirror of one cluster carries its name; a federated service does not.
  if (labels['mirror.linkerd.io/cluster-name'] !== undefined) return undefined;
  const members = annotations['multicluster.linkerd.io/remote-discovery'];
  return {
    namespace,
    name,
    members: members ? members.split(',') : [],
    local: annotations['multicluster.linkerd.io/local-discovery'] !== undefined,
  };
}

function readRecord(text: string | undefined): LinkRecord | undefined {
  if (text === undefined) return undefined;
  try {
    const record = JSON.parse(text) as LinkRecord;
    return typeof record.uid === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}

function areRolledOut(deployments: unknown, names: readonly string[]): boolean {
  const found = listOf<KubeObject>(deployments);
  return names.every((wanted) => isRolledOut(found.find(({ metadata }) => metadata.name === wanted)));
}

const fromBase64 = (text: string): string => Buffer.from(text, 'base64').toString('utf8');

function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** SHA-256 in hexadecimal. */
const fingerprintOf = ({ fingerprint256 }: X509Certificate): string => fingerprint256.replaceAll(':', '').toLowerCase();

/** What each CLI says that it is; a process each. */
export async function observeLinkerdClis(runner: Runner, binaries: readonly string[]): Promise<LinkerdCli[]> {
  return Promise.all(
    [...new Set(binaries)].map(async (binary) => {
      const outcome = await runner.run({ argv: [binary, 'version', '--client', '--short'], timeout: 20 });
      const version = outcome.stdout.trim();
      if (succeeded(outcome) && /^[\w.+-]+$/.test(version)) return { binary, version };
      return {
        binary,
        problem:
          outcome.failure === 'missing'
            ? `${binary} is not here`
            : `${binary} does not say its version: ${outcome.stderr.trim() || version || outcome.failure}`,
      };
    }),
  );
}
