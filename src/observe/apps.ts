import { APPS, type AppMark, type AppsState, markOf } from '../lab/apps.ts';
import { isSettled, listOf, type Metadata } from '../tools/kube-api.ts';
import type { ApiClient } from './api-client.ts';
import { findMissing, OURS, parseObjects, readResources } from './app-objects.ts';
import { readWorkloads } from './workloads.ts';

interface KubeObject {
  readonly metadata: Metadata;
}

const MARK = markOf('');
const INJECT_KEY = 'linkerd.io/inject';

/**
 * What apps left in a cluster. The types of their objects take some dozens of requests: they are read only where some
 * app is not in a form of `hashes`, so that something of it may have to go.
 */
export async function readApps(api: ApiClient, hashes: ReadonlyMap<string, string>): Promise<AppsState> {
  const [namespaces, workloads, services] = await Promise.all([
    api.get('/api/v1/namespaces'),
    readWorkloads(api, OURS),
    api.get(`/api/v1/services?labelSelector=${encodeURIComponent(OURS)}`),
  ]);
  const labelled = [...workloads.map(({ object }) => object), ...listOf<KubeObject>(services)];
  const marks = await readMarks(api, listOf<KubeObject>(namespaces));
  const settled =
    marks.every(({ app, hash }) => hashes.get(app) === hash) &&
    labelled.every(({ metadata: { labels = {} } }) => hashes.get(appOf(labels)) === labels[APPS.hashLabel]);
  return {
    marks,
    workloads: workloads.map((one) => ({
      app: appOf(one.object.metadata.labels),
      kind: one.kind,
      namespace: one.object.metadata.namespace ?? '',
      name: one.object.metadata.name,
      ready: isSettled(one),
    })),
    services: listOf<KubeObject>(services).map(({ metadata: { name, namespace = '', labels = {} } }) => {
      const exported = labels[APPS.exportLabel];
      return { app: appOf(labels), namespace, name, ...(exported !== undefined && { exported }) };
    }),
    types: settled ? {} : await readTypes(api),
  };
}

const appOf = (labels: Metadata['labels']): string => labels?.[APPS.label] ?? '';

async function readMarks(api: ApiClient, namespaces: readonly KubeObject[]): Promise<AppMark[]> {
  const marks = namespaces.flatMap(({ metadata: { name: namespace, annotations = {} } }) =>
    Object.entries(annotations)
      .filter(([key]) => key.startsWith(MARK))
      .map(([key, value]) => {
        const [hash = '', ...objects] = value.split('\n');
        const inject = annotations[INJECT_KEY] === 'enabled';
        return { mark: { app: key.slice(MARK.length), namespace, hash, inject }, objects: parseObjects(objects) };
      }),
  );
  const missing = await findMissing(
    api,
    marks.flatMap(({ objects }) => objects),
  );
  return marks.map(({ mark, objects }) => ({ ...mark, missing: objects.flatMap((one) => missing(one) ?? []) }));
}

/** Made by controllers from objects that do count, with their labels. */
const DERIVED = ['endpoints', 'endpointslices', 'events'];

/** The types of which each app has objects. */
async function readTypes(api: ApiClient): Promise<Record<string, string[]>> {
  const groups = (await api.get('/apis')) as
    | {
        readonly groups?: readonly {
          readonly name: string;
          readonly preferredVersion: { readonly groupVersion: string };
        }[];
      }
    | undefined;
  const roots = [
    { path: '/api/v1', suffix: '' },
    ...(groups?.groups ?? []).map(({ name, preferredVersion }) => ({
      path: `/apis/${preferredVersion.groupVersion}`,
      suffix: `.${name}`,
    })),
  ];
  const found = await Promise.all(roots.map((root) => typesOf(api, root)));
  const types: Record<string, string[]> = {};
  for (const { type, apps } of found.flat()) for (const app of apps) types[app] = [...(types[app] ?? []), type];
  return types;
}

async function typesOf(api: ApiClient, { path, suffix }: { readonly path: string; readonly suffix: string }) {
  // A group whose server is away, such as that of metrics, has no objects to find.
  const resources = await readResources(api, path).catch(() => []);
  const names = resources
    .filter(({ verbs = [] }) => verbs.includes('list') && verbs.includes('delete'))
    .map(({ name }) => name)
    .filter((name) => !DERIVED.includes(name));
  const query = `labelSelector=${encodeURIComponent(OURS)}`;
  return Promise.all(
    names.map(async (name) => {
      const objects = listOf<KubeObject>(await api.get(`${path}/${name}?${query}`).catch(() => undefined));
      return { type: `${name}${suffix}`, apps: new Set(objects.map(({ metadata }) => appOf(metadata.labels))) };
    }),
  );
}
