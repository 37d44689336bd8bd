import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { changeApps, listObjects, runLocally } from './apps.ts';
import { Failure } from './failure.ts';
import { annotate, applyRendered, deleteLinked } from './linkerd.ts';
import { clusterOf, nodesOf, shareOf } from './nodes.ts';
import { type Request, valuesOf } from './request.ts';
import type { Store, Stored } from './store.ts';

/** `kubectl`, of the cluster whose token is in the kubeconfig. */
export async function runKubectl(request: Request): Promise<string> {
  if (request.argv[0] === 'version') return 'Client Version: v1.34.4\n';
  return runLocally(request.argv, request.stdin) ?? runOnCluster(request);
}

function runOnCluster({ argv, stdin, store }: Request): string {
  const [, file = '', verb] = argv;
  if (argv[0] !== '--kubeconfig') return runWithoutCluster(argv);
  const cluster = clusterOf(parse(readFileSync(file, 'utf8')).users[0].user.token);
  const nodes = nodesOf(store, cluster);
  if (!nodes.some(({ running }) => running)) throw new Failure('The connection to the server was refused');
  if (verb === 'rollout' || changeApps(cluster, argv, stdin, store)) return '';
  if (verb === 'apply') return apply(cluster, valuesOf(argv, '-f')[0] ?? '', stdin, store);
  if (verb === 'delete') {
    deleteLinked(cluster, argv, store);
    return '';
  }
  if (verb === 'get') return argv.includes('-f') ? listObjects(cluster, argv, stdin, store) : sharesOf(nodes);
  if (verb === 'annotate' && argv[3] !== 'node') {
    annotate(cluster, argv, store);
    return '';
  }
  if (verb === 'annotate' || verb === 'label') return markNodes(verb, nodes, argv, store);
  throw new Failure(`the stub does not know: kubectl ${argv.join(' ')}`, 99);
}

function runWithoutCluster(argv: readonly string[]): string {
  if (argv[0] === 'version') return 'Client Version: v1.34.4\n';
  if (argv[0] === 'config' && argv[1] === 'view') return viewContext(valuesOf(argv, '--context')[0] ?? '');
  throw new Failure(`the stub does not know: kubectl ${argv.join(' ')}`, 99);
}

/** The part of the kubeconfig that one context needs. */
function viewContext(name: string): string {
  const { clusters, contexts, users } = parse(readFileSync(process.env.KUBECONFIG ?? '', 'utf8'));
  const context = contexts.find((one: { name: string }) => one.name === name)?.context;
  if (!context) throw new Failure(`error: context "${name}" does not exist`);
  const named = (list: { name: string }[], wanted: string) => list.filter((one) => one.name === wanted);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: named(clusters, context.cluster),
    contexts: [{ name, context }],
    'current-context': name,
    users: named(users, context.user),
  });
}

/** `get nodes` with the template that asks for pod ranges and addresses. */
const sharesOf = (nodes: readonly Stored['containers'][]): string =>
  nodes
    .map((node, index) => `${shareOf(node, index).join(' ')}|${node.addresses.filter(Boolean).join(' ')}\n`)
    .join('');

function apply(cluster: string, source: string, stdin: string, store: Store): string {
  if (source !== '-') {
    if (/gateway-api/.test(source)) {
      store.write('applied', `${cluster}:gateway-api`, source);
      return '';
    }
    store.write('applied', `${cluster}:metallb`, source);
    return `${source} serverside-applied\n`;
  }
  const documents = parseAllDocuments(stdin).map((document) => document.toJS() as { kind: string });
  if (applyRendered(cluster, documents, store)) return '';
  if (!store.read('applied', `${cluster}:metallb`)) throw new Failure('no matches for kind "IPAddressPool"');
  for (const document of documents) store.write('applied', `${cluster}:${document.kind}`, document);
  return documents.map(({ kind }) => `${kind} serverside-applied\n`).join('');
}

function markNodes(
  verb: 'annotate' | 'label',
  nodes: readonly Stored['containers'][],
  argv: readonly string[],
  store: Store,
): string {
  const wanted = argv.includes('--all') ? nodes.map(({ name }) => name) : [argv[4] ?? ''];
  for (const name of wanted) mark(verb === 'label' ? 'labels' : 'annotations', name, argv.at(-1) ?? '', store);
  return wanted.map((name) => `node/${name} ${verb}d\n`).join('');
}

/** Does `KEY=VALUE`, or `KEY-`, which takes the key away. */
function mark(table: 'labels' | 'annotations', node: string, pair: string, store: Store): void {
  const [key = '', value] = pair.split(/=(.*)/s);
  const { [key.replace(/-$/, '')]: _, ...others } = store.read(table, node) ?? {};
  store.write(table, node, value === undefined ? others : { ...others, [key]: value });
}
