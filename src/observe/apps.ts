import { APPS, type AppMark, type AppsState, markOf, objectsOf } from '../lab/apps.ts';
import { isSettled, listOf, type Metadata } from '../tools/kube-api.ts';
import type { ApiClient } from './api-client.ts';
import { findMissing, parseObjects, readResources } from './app-objects.ts';
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
export async function readApps(api: ApiClient, uid: string, hashes: ReadonlyMap<string, string>): Promise<AppsState> {
  const ours = objectsOf(uid);
  const [namespaces, workloads, services] = await Promise.all([
    api.get('/api/v1/namespaces'),
    readWorkloads(api, ours),
    api.get(`/api/v1/services?labelSelector=${encodeURIComponent(ours)}`),
  ]);
  const labelled = [...workloads.map(({ object }) => object), ...listOf<KubeObject>(services)];
  const marks = await readMarks(api, uid, listOf<KubeObject>(namespaces));
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
    types: settled ? {} : await readTypes(api, ours),
  };
}

const appOf = (labels: Metadata['labels']): string => labels?.[APPS.label] ?? '';

async function readMarks(api: ApiClient, uid: string, namespaces: readonly KubeObject[]): Promise<AppMark[]> {
  const marks = namespaces.flatMap(({ metadata: { name: namespace, annotations = {} } }) =>
    Object.entries(annotations)
      .filter(([key]) => key.startsWith(MARK))
      .flatMap(([key, value]) => {
        const [first = '', ...objects] = value.split('\n');
        const [hash = '', owner] = first.split(' ');
        if (owner !== uid) return [];
        const inject = annotations[INJECT_KEY] === 'enabled';
        return { mark: { app: key.slice(MARK.length), namespace, hash, inject }, objects: parseObjects(objects) };
      }),
  );
  const missing = await findMissing(
    api,
    objectsOf(uid),
    marks.flatMap(({ objects }) => objects),
  );
  return marks.map(({ mark, objects }) => ({ ...mark, missing: objects.flatMap((one) => missing(one) ?? []) }));
}

/**
 * What is made by controllers, from objects that do count and with their labels; and definitions of types, which, as
 * with Helm, stay: with one of them go all objects of its type, whoever's.
 */
const LEFT = ['endpoints', 'endpointslices', 'events', 'customresourcedefinitions'];

/** The types of which each app has objects. */
async function readTypes(api: ApiClient, ours: string): Promise<Record<string, string[]>> {
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
  const found = await Promise.all(roots.map((root) => typesOf(api, ours, root)));
  const types: Record<string, string[]> = {};
  for (const { type, apps } of found.flat()) for (const app of apps) types[app] = [...(types[app] ?? []), type];
  return types;
}

/** A group whose own server is away, such as that of metrics, or that is not ours to list, has nothing to take away. */
function nothingIf<T>(error: Error, nothing: T): T {
  if (/ answered (403|405|5\d\d)$/.test(error.message)) return nothing;
  throw error;
}

async function typesOf(
  api: ApiClient,
  ours: string,
  { path, suffix }: { readonly path: string; readonly suffix: string },
) {
  const resources = await readResources(api, path).catch((error: Error) => nothingIf(error, []));
  const names = resources
    .filter(({ verbs = [] }) => verbs.includes('list') && verbs.includes('delete'))
    .map(({ name }) => name)
    .filter((name) => !LEFT.includes(name));
  const query = `labelSelector=${encodeURIComponent(ours)}`;
  return Promise.all(
    names.map(async (name) => {
      const objects = listOf<KubeObject>(
        await api.get(`${path}/${name}?${query}`).catch((error: Error) => nothingIf(error, undefined)),
      );
      return { type: `${name}${suffix}`, apps: new Set(objects.map(({ metadata }) => appOf(metadata.labels))) };
    }),
  );
}
