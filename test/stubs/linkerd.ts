/** `linkerd`, and what the API server shows of what it rendered once that was applied. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { Failure } from './failure.ts';
import { clusterOf } from './nodes.ts';
import { type Request, valuesOf } from './request.ts';
import type { Store } from './store.ts';

const VERSION = 'edge-26.8.3';

interface Rendered {
  readonly kind: string;
  readonly [key: string]: unknown;
}

/** Renders; like the real one it changes nothing. */
export async function runLinkerd({ argv, store }: Request): Promise<string> {
  if (argv[0] === 'version') return `${VERSION}\n`;
  const [, file = '', ...words] = argv;
  // An install that ignores the cluster is rendered while there is none.
  const cluster = words.includes('--ignore-cluster')
    ? ''
    : clusterOf(parse(readFileSync(file, 'utf8')).users[0].user.token);
  const render = (document: Rendered) => `${JSON.stringify(document)}\n`;
  if (words[0] === 'prune') return '';
  if (words[0] === 'check') return '{"success":true,"categories":[]}\n{"success":true,"categories":[]}\n';
  if (words[0] === 'install' || words[0] === 'upgrade') {
    if (words.includes('--crds')) return render({ kind: 'StubCrds' });
    if (words[0] === 'upgrade' && !has(store, cluster, 'StubControlPlane')) throw new Failure('Error: not installed');
    const pem = (flag: string) => readFileSync(valuesOf(words, flag)[0] ?? '', 'utf8');
    const issuer = pem('--identity-issuer-certificate-file');
    const license = process.env.LICENSE;
    return render({
      kind: 'StubControlPlane',
      issuer,
      anchors: pem('--identity-trust-anchors-file'),
      ...(license !== undefined && { license }),
    });
  }
  if (words[1] === 'install')
    return render({ kind: 'StubExtension', values: parse(readFileSync(valuesOf(words, '--values')[0] ?? '', 'utf8')) });
  if (words[1] === 'link-gen') {
    if (!has(store, cluster, 'StubExtension'))
      throw new Failure(
        'Error: could not find service account token secret for x\nUsage:\n  linkerd multicluster link-gen',
      );
    const to = valuesOf(words, '--cluster-name')[0];
    const { ca } = store.read('api', 'api') ?? { ca: '' };
    return render({
      kind: 'StubLink',
      to,
      server: valuesOf(words, '--api-server-address')[0],
      gateway: words.includes('--gateway=true'),
      ca,
    });
  }
  throw new Failure(`the stub does not know: linkerd ${argv.join(' ')}`, 99);
}

const has = (store: Store, cluster: string, kind: string): boolean =>
  store.read('applied', `${cluster}:${kind}`) !== undefined;

/** Keeps what a render printed; false for documents of another origin. */
export function applyRendered(cluster: string, documents: readonly Rendered[], store: Store): boolean {
  const ours = documents.filter(({ kind }) => kind.startsWith('Stub'));
  for (const document of ours) {
    const key = document.kind === 'StubLink' ? `StubLink/${document.to}` : document.kind;
    store.write('applied', `${cluster}:${key}`, document);
  }
  return ours.length > 0;
}

/** `annotate namespace|links… NAME … KEY=VALUE`. */
export function annotate(cluster: string, argv: readonly string[], store: Store): void {
  const [key = '', value = ''] = (argv.at(-1) ?? '').split(/=(.*)/s);
  store.write('applied', `${cluster}:annotation/${argv[4]}/${key}`, value);
}

/** Takes a link away; whatever else came with it was never here. */
export function deleteLinked(cluster: string, argv: readonly string[], store: Store): void {
  for (const word of argv.filter((one) => one.startsWith('links.multicluster.linkerd.io/'))) {
    const name = word.split('/')[1];
    store.remove('applied', `${cluster}:StubLink/${name}`);
    store.remove('applied', `${cluster}:annotation/${name}/lab/link`);
  }
}

/** The object at a path of the API; undefined for what is not there. */
export function answerLinkerd(store: Store, cluster: string, url: string): unknown {
  const [path = ''] = url.split('?');
  const applied = (key: string) => store.read('applied', `${cluster}:${key}`) as Rendered | undefined;
  const annotations = (name: string, key: string) => {
    const value = store.read('applied', `${cluster}:annotation/${name}/${key}`);
    return value === undefined ? {} : { annotations: { [key]: value } };
  };
  const base64 = (text: unknown) => Buffer.from(String(text)).toString('base64');
  const running = (...names: readonly string[]) => ({
    items: names.map((name) => ({
      metadata: { name },
      spec: { replicas: 1 },
      status: { updatedReplicas: 1, availableReplicas: 1 },
    })),
  });
  const [controlPlane, extension] = [applied('StubControlPlane'), applied('StubExtension')];
  const links = store
    .keys('applied')
    .filter((key) => key.startsWith(`${cluster}:StubLink/`))
    .map((key) => store.read('applied', key) as Rendered);
  const one = /^\/apis\/apps\/v1\/namespaces\/(linkerd[a-z-]*)\/deployments\/(.+)$/.exec(path);
  if (one) return (one[1] === 'linkerd' ? controlPlane : extension) && running(one[2] ?? '').items[0];
  switch (path) {
    case '/api/v1/namespaces/linkerd':
      return controlPlane && { metadata: { name: 'linkerd', ...annotations('linkerd', 'lab/inputs') } };
    case '/api/v1/namespaces/linkerd/configmaps/linkerd-config':
      return controlPlane && { metadata: {}, data: { values: `linkerdVersion: ${VERSION}\n` } };
    case '/apis/apps/v1/namespaces/linkerd/deployments':
      return controlPlane && running('linkerd-identity', 'linkerd-destination', 'linkerd-proxy-injector');
    case '/api/v1/namespaces/linkerd/secrets/linkerd-identity-issuer':
      return controlPlane && { metadata: {}, data: { 'crt.pem': base64(controlPlane.issuer) } };
    case '/api/v1/namespaces/linkerd/configmaps/linkerd-identity-trust-roots':
      return controlPlane && { metadata: {}, data: { 'ca-bundle.crt': controlPlane.anchors } };
    case '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/httproutes.gateway.networking.k8s.io':
      return (
        applied('gateway-api') && {
          metadata: { name: 'httproutes', annotations: { 'gateway.networking.k8s.io/bundle-version': 'v1.2.1' } },
        }
      );
    case '/api/v1/namespaces/linkerd-multicluster':
      return (
        extension && {
          metadata: { name: 'linkerd-multicluster', ...annotations('linkerd-multicluster', 'lab/inputs') },
        }
      );
    case '/apis/apps/v1/namespaces/linkerd-multicluster/deployments':
      return extension && running('linkerd-local-service-mirror', ...links.map(({ to }) => `controller-${to}`));
    case '/apis/multicluster.linkerd.io/v1alpha3/namespaces/linkerd-multicluster/links':
      return {
        items: links.map(({ to }) => ({
          metadata: {
            name: to,
            annotations: {
              'linkerd.io/created-by': `linkerd/cli ${VERSION}`,
              ...annotations(String(to), 'lab/link').annotations,
            },
          },
          spec: { targetClusterName: to, clusterCredentialsSecret: `cluster-credentials-${to}` },
        })),
      };
    case '/api/v1/namespaces/linkerd-multicluster/secrets':
      return {
        items: links.map(({ to, server, ca }) => ({
          metadata: { name: `cluster-credentials-${to}` },
          data: {
            kubeconfig: base64(`clusters:\n- cluster:\n    certificate-authority-data: ${ca}\n    server: ${server}\n`),
          },
        })),
      };
    default:
      return undefined;
  }
}
