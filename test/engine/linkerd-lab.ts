/** What the tests with the real Linkerd share: whether there is one, its images, and workloads that speak through it. */
import { execFileSync } from 'node:child_process';
import { describe } from 'vitest';
import { type Access, describeOnEngine } from './engine.ts';

/**
 * LAB_TEST_LINKERD_IMAGES names the images of the control plane and the proxy (separated by commas) that the engine
 * holds for the CLI on the PATH; LAB_TEST_GATEWAY_API is a manifest on this disk, where the internet is away. The
 * workload is busybox' web server of the image LAB_TEST_WEB_IMAGE, and its client LAB_TEST_WEB_GET (busybox' own may not
 * resolve names where it is linked statically).
 */
const { LAB_TEST_LINKERD_IMAGES = '', LAB_TEST_GATEWAY_API } = process.env;
export const { LAB_TEST_WEB_IMAGE: WEB_IMAGE = 'busybox:stable' } = process.env;
export const { LAB_TEST_WEB_GET: GET = 'wget -qO- -T 5' } = process.env;

const missing = (() => {
  if (!LAB_TEST_LINKERD_IMAGES) return 'LAB_TEST_LINKERD_IMAGES names no images';
  try {
    execFileSync('linkerd', ['version', '--client'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no linkerd on the PATH';
  }
})();
if (missing) process.stderr.write(`SKIPPED, visibly: the tests with the real Linkerd (${missing})\n`);
export const describeWithLinkerd = missing ? describe.skip : describeOnEngine;

/** All that a cluster needs of images for Linkerd and the workloads. */
export const IMAGES: readonly string[] = [...LAB_TEST_LINKERD_IMAGES.split(','), WEB_IMAGE];

/** The value of `mesh:`, with more keys. */
export const mesh = (more = ''): string => {
  const manifest = LAB_TEST_GATEWAY_API ? [`gatewayAPI: {manifest: "${LAB_TEST_GATEWAY_API}"}`] : [];
  return `{${[...manifest, ...(more ? [more] : [])].join(', ')}}`;
};

const pod = (name: string, spec: string, labels = '{}') => `apiVersion: v1
kind: Namespace
metadata: {name: demo, annotations: {linkerd.io/inject: enabled}}
---
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: demo, labels: ${labels}}
spec:
  containers: [{name: main, image: "${WEB_IMAGE}", imagePullPolicy: Never, ${spec}}]
`;

/** A pod in the mesh that only sleeps. */
export const CLIENT = pod('client', 'command: [sleep, "100000"]');

/** A web server in the mesh that says where it is, with a service for each mode of a link. */
export const webServer = (place: string): string => {
  const serve = `mkdir /tmp/www && echo hello from ${place} > /tmp/www/index.html && httpd -f -p 8080 -h /tmp/www`;
  const service = (name: string, label: string) => `---
apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: demo, labels: {mirror.linkerd.io/${label}}}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`;
  const server = pod('web', `command: [sh, -c, "${serve}"]`, '{app: web}');
  return `${server}${[service('flat', 'exported: remote-discovery'), service('gated', 'exported: "true"'), service('united', 'federated: member')].join('')}`;
};

/** Applies pods of `demo` and waits until they run. */
export function runPods({ apply, kubectl }: Access, manifest: string, ...names: readonly string[]): void {
  apply(manifest);
  for (const name of names) kubectl('-n', 'demo', 'wait', `pod/${name}`, '--for=condition=Ready', '--timeout=180s');
}

/** What a service of `demo` answers to the client of a cluster; nothing when it does not. */
export function ask({ kubectl }: Access, service: string): string {
  try {
    return kubectl(
      ...['-n', 'demo', 'exec', 'client', '-c', 'main', '--'],
      ...GET.split(' '),
      `http://${service}.demo/`,
    );
  } catch {
    return '';
  }
}

/** All that is left of links to these clusters, and of a gateway, one line each. */
export function leftOfLinks({ kubectl }: Access, ...names: readonly string[]): string[] {
  const kinds = 'links,secrets,deployments,serviceaccounts,roles,rolebindings,leases,services,endpoints';
  const lists = [
    ['-n', 'linkerd-multicluster', kinds],
    ['-n', 'linkerd', 'secrets'],
    ['clusterroles,clusterrolebindings'],
  ].flatMap((args) => kubectl('get', ...args, '-o', 'name').split('\n'));
  const remote = '{range .items[*]}{.metadata.name} {.metadata.labels.mirror\\.linkerd\\.io/cluster-name}';
  const members = '{.metadata.annotations.multicluster\\.linkerd\\.io/remote-discovery}{"\\n"}{end}';
  const left = lists.filter((line) => line.endsWith('/linkerd-gateway') || names.some((name) => line.includes(name)));
  // A federated service of the cluster's own member stays as long as that does.
  const services = kubectl('get', 'services', '-A', '-o', `jsonpath=${remote}${members}`).split('\n');
  return [...left, ...services.filter((line) => / \S/.test(line))];
}
