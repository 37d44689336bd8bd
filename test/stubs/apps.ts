/** What `kubectl` does with apps, `helm`, and what the API server shows of the objects that were applied. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { Failure } from './failure.ts';
import { type Request, valuesOf } from './request.ts';
import type { Store, StubObject } from './store.ts';

/** `helm template NAME CHART`: the files of the chart's templates, with the name and the values put in. */
export async function runHelm({ argv }: Request): Promise<string> {
  const [verb, name = '', chart = ''] = argv;
  if (verb !== 'template') throw new Failure(`the stub does not know: helm ${argv.join(' ')}`, 99);
  const [file] = valuesOf(argv, '--values');
  const values = { ...parse(readText(join(chart, 'values.yaml'))), ...(file && parse(readText(file))) };
  return readText(join(chart, 'templates/web.yaml'))
    .replaceAll('{{ .Release.Name }}', name)
    .replaceAll(/\{\{ \.Values\.(\w+) \}\}/g, (_, key: string) => String(values[key]));
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new Failure(`Error: path "${file}" not found`);
  }
}

const objectsIn = (text: string): StubObject[] =>
  // What `label` prints: one JSON object behind the other.
  (text.startsWith('{') ? text.replaceAll('}\n{', '}\n---\n{') : text)
    .split(/^---$/m)
    .flatMap((part) => parseAllDocuments(part).map((document) => document.toJS() as StubObject | null))
    .filter((object): object is StubObject => object !== null);

const keyOf = (cluster: string, { kind, metadata }: StubObject): string =>
  `${cluster}:${kind}/${metadata.namespace ?? ''}/${metadata.name}`;

/** `label --local`: prints the objects with more labels, and changes nothing. */
function markLocally(argv: readonly string[], stdin: string): string {
  const [file = ''] = valuesOf(argv, '-f');
  const labels = pairsIn(argv);
  return objectsIn(file === '-' ? stdin : readText(file))
    .map(({ metadata, ...rest }) => ({ ...rest, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } }))
    .map((object) => `${JSON.stringify(object)}\n`)
    .join('');
}

const pairsIn = (argv: readonly string[]): Record<string, string> =>
  Object.fromEntries(argv.flatMap((word) => (/^[\w./-]+=/.test(word) ? [word.split(/=(.*)/s).slice(0, 2)] : [])));

/** `config view`, and `config set-context --current --namespace` of a copy. */
function configure(argv: readonly string[]): string {
  const [, file = ''] = argv;
  if (argv[3] === 'view') return readFileSync(file, 'utf8');
  const config = parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...config, namespace: valuesOf(argv, '--namespace')[0] }));
  return '';
}

/** What needs no cluster; undefined for anything else. */
export function runLocally(argv: readonly string[], stdin: string): string | undefined {
  if (argv[2] === 'label' && argv[3] === '--local') return markLocally(argv, stdin);
  return argv[2] === 'config' ? configure(argv) : undefined;
}

/** `get -f - -o go-template=...`: the template with a line for each object that is there in place of its actions. */
export function listObjects(cluster: string, argv: readonly string[], stdin: string, store: Store): string {
  const { namespace } = parse(readFileSync(argv[1] ?? '', 'utf8'));
  const lines = objectsIn(stdin)
    .filter(({ kind }) => kind !== 'Namespace')
    .map((object) => store.read('objects', keyOf(cluster, placed(object, namespace))))
    .flatMap((object) => {
      if (!object) return [];
      const { apiVersion, kind, metadata } = object;
      return `\\n${apiVersion} ${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
    });
  const [, template = ''] = /^go-template=(.*)$/s.exec(valuesOf(argv, '-o')[0] ?? '') ?? [];
  return template.replace(/\{\{.*\}\}/s, lines.join(''));
}

/** What is about apps and namespaces; false for anything else. */
export const changeApps = (cluster: string, argv: readonly string[], stdin: string, store: Store): boolean =>
  argv[2] === 'apply' ? applyObjects(cluster, argv[1] ?? '', stdin, store) : changeObjects(cluster, argv, store);

/** Keeps objects of apps and namespaces; false for others. */
function applyObjects(cluster: string, kubeconfig: string, text: string, store: Store): boolean {
  const objects = objectsIn(text).filter(({ kind, metadata }) => kind === 'Namespace' || metadata?.labels?.['lab/app']);
  const { namespace } = parse(readFileSync(kubeconfig, 'utf8'));
  for (const object of objects) {
    const { metadata } = placed(object, namespace);
    const key = keyOf(cluster, { ...object, metadata });
    const before = store.read('objects', key);
    const annotations = { ...before?.metadata.annotations, ...metadata.annotations };
    const labels = { ...before?.metadata.labels, ...metadata.labels };
    store.write('objects', key, { ...object, metadata: { ...metadata, annotations, labels } });
  }
  return objects.length > 0;
}

/** With the namespace that an object gets where it says none. */
function placed(object: StubObject, namespace: string): StubObject {
  const clustered = object.kind === 'Namespace' || object.kind === 'CustomResourceDefinition';
  return { ...object, metadata: { ...(!clustered && { namespace }), ...object.metadata } };
}

const objectsOf = (cluster: string, store: Store): { key: string; object: StubObject }[] =>
  store
    .keys('objects')
    .filter((key) => key.startsWith(`${cluster}:`))
    .flatMap((key) => {
      const object = store.read('objects', key);
      return object ? [{ key, object }] : [];
    });

function selects(selector: string, { metadata: { name, labels = {} } }: StubObject): boolean {
  return selector.split(',').every((term) => {
    if (term.startsWith('!')) return !(term.slice(1) in labels);
    const [key = '', value] = term.split(/!?=/);
    const found = key === 'kubernetes.io/metadata.name' ? name : labels[key];
    if (term.includes('!=')) return found !== value;
    return value === undefined ? found !== undefined : found === value;
  });
}

/** `delete TYPES --selector`, `annotate namespace`, `label service`; false when it is about none of ours. */
function changeObjects(cluster: string, argv: readonly string[], store: Store): boolean {
  const [, , verb, what = ''] = argv;
  const [selector] = valuesOf(argv, '--selector');
  const words = argv.filter((word) => word !== selector);
  const found = objectsOf(cluster, store);
  if (verb === 'delete' && selector?.startsWith('lab/app')) {
    const kinds = what.split(',').map((type) => type.replace(/s(\..*)?$/, ''));
    for (const { key, object } of found)
      if (kinds.includes(object.kind.toLowerCase()) && selects(selector, object)) store.remove('objects', key);
    return true;
  }
  if ((verb !== 'annotate' || what !== 'namespace') && (verb !== 'label' || what !== 'service')) return false;
  const kind = what === 'namespace' ? 'Namespace' : 'Service';
  const meant = found.filter(
    ({ object }) => object.kind === kind && (selector ? selects(selector, object) : object.metadata.name === argv[4]),
  );
  if (meant.length === 0 && kind === 'Service')
    throw new Failure(`Error from server (NotFound): services "${argv[4]}" not found`);
  if (meant.length === 0 && !selector) return false;
  const table = verb === 'label' ? 'labels' : 'annotations';
  const gone = words.filter((word) => /^[\w./-]+-$/.test(word)).map((word) => word.slice(0, -1));
  for (const { key, object } of meant) {
    const pairs = Object.entries({ ...object.metadata[table], ...pairsIn(words) });
    const kept = Object.fromEntries(pairs.filter(([name]) => !gone.includes(name)));
    store.write('objects', key, { ...object, metadata: { ...object.metadata, [table]: kept } });
  }
  return true;
}

const STATUS = { updatedReplicas: 1, availableReplicas: 1 };
const TYPES: Readonly<Record<string, readonly string[]>> = {
  '/api/v1': ['Service', 'ConfigMap', 'Namespace', 'Endpoints', 'Pod'],
  '/apis/apps/v1': ['Deployment', 'DaemonSet', 'StatefulSet'],
};
const pluralOf = (kind: string): string => kind.toLowerCase().replace(/s?$/, 's');
const RUNNING = { conditions: [{ type: 'Ready', status: 'True' }], podIPs: [{ ip: '10.0.0.7' }] };

/** The object at a path of the API; undefined for what is not there. */
export function answerApps(store: Store, cluster: string, url: string): unknown {
  const [path = '', query = ''] = url.split('?');
  if (path === '/apis') return { groups: [{ name: 'apps', preferredVersion: { groupVersion: 'apps/v1' } }] };
  const types = TYPES[path];
  if (types) return { resources: types.map((kind) => ({ kind, name: pluralOf(kind), verbs: ['list', 'delete'] })) };
  const [, namespace, type] = /^\/(?:api\/v1|apis\/apps\/v1)(?:\/namespaces\/([^/]+))?\/(\w+)$/.exec(path) ?? [];
  if (type === undefined) return undefined;
  const selector = new URLSearchParams(query).get('labelSelector');
  const items = objectsOf(cluster, store)
    .map(({ object }) => object)
    .filter(({ kind, metadata }) => pluralOf(kind) === type && (!namespace || metadata.namespace === namespace))
    .filter((object) => selector === null || selects(selector, object));
  return { items: items.map((object) => ({ ...object, status: object.kind === 'Pod' ? RUNNING : STATUS })) };
}
