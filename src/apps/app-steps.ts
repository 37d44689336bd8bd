import { APPS, type App, type Export, markOf, UNFINISHED } from '../lab/apps.ts';
import { exportWords, INJECT, WITHDRAW_WORDS } from '../mesh/linkerd-exports.ts';
import type { QueryStep, RunStep, Step, Value, WaitStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { applyRetry, applyStep, changeStep, kubectlArgv } from '../tools/kubectl.ts';
import { renderSteps, type Target } from './render-steps.ts';

const selectorOf = ({ uid }: Target, app: string): string => `${APPS.label}=${app},${APPS.ownerLabel}=${uid}`;

/** A kubeconfig whose default namespace is the app's: with `--namespace` kubectl refuses objects of another one. */
const namespaceFile = (cluster: string, namespace: string) => ({ file: `apps/${cluster}_${namespace}.kubeconfig` });

/** A namespace as its apps want it, and a kubeconfig that means it. */
export function namespaceSteps(cluster: string, namespace: string, inject: boolean, needs: readonly string[]): Step[] {
  const id = `${cluster}/namespace/${namespace}`;
  const base = { clusters: [cluster], timeout: 30 };
  const file = namespaceFile(cluster, namespace);
  const metadata = { name: namespace, ...(inject && { annotations: INJECT }) };
  const objects = [{ apiVersion: 'v1', kind: 'Namespace', metadata }];
  return [
    applyStep({ id, title: `make namespace ${namespace}`, cluster, needs, from: { objects } }),
    {
      ...base,
      kind: 'query',
      id: `${id}/view`,
      title: 'read the kubeconfig',
      needs,
      argv: kubectlArgv(cluster, ['config', 'view', '--raw', '--minify', '--flatten']),
      capture: `${id}/view`,
    },
    {
      ...base,
      kind: 'write',
      id: `${id}/copy`,
      title: 'copy it',
      needs: [`${id}/view`],
      file,
      content: { ref: `${id}/view` },
      mode: 0o600,
    },
    {
      ...base,
      kind: 'run',
      id: `${id}/default`,
      title: `make ${namespace} the default namespace of the copy`,
      needs: [`${id}/copy`],
      why: 'With --namespace kubectl would refuse the objects that belong to another one.',
      argv: ['kubectl', '--kubeconfig', file, 'config', 'set-context', '--current', '--namespace', namespace],
    },
  ];
}

/** The steps of `namespaceSteps` after which something can be applied there. */
export const namespaceReady = (cluster: string, namespace: string): string[] => {
  const id = `${cluster}/namespace/${namespace}`;
  return [id, `${id}/default`];
};

/** Notes that an app changes, before anything of it does: a run that fails or is killed leaves it at that. */
export const beginStep = ({ cluster, uid }: Target, app: App, restarts: boolean, needs: readonly string[]): RunStep =>
  changeStep(cluster, `${cluster}/app/${app.name}/begin`, `note that ${app.name} changes`, needs, [
    ...['annotate', 'namespace', app.namespace, '--overwrite'],
    `${markOf(app.name)}=${restarts ? UNFINISHED.restarting : UNFINISHED.applying} ${uid}`,
  ]);

export interface Apply {
  readonly app: App;
  readonly needs: readonly string[];
  /** Types of objects of which an earlier form may have left some. */
  readonly stale: readonly string[];
  /** Pods that run were made with another word about the proxy. */
  readonly restarts: boolean;
}

/** All sources of an app, one after the other, until everything of it is ready; then what is no longer in it goes. */
export function applySteps(target: Target, { app, needs, stale, restarts }: Apply): Step[] {
  const { cluster } = target;
  const steps: Step[] = [];
  const applied: Value[] = [];
  let after = needs;
  for (const [index, source] of app.sources.entries()) {
    const id = `${cluster}/app/${app.name}${app.sources.length > 1 ? `/${index + 1}` : ''}`;
    const rendered = renderSteps(target, { id, app, source, needs: after });
    const capture = rendered.at(-1)?.id ?? '';
    const wait = waitStep(target, app, `${id}/ready`, [id]);
    steps.push(...rendered, objectsStep(cluster, app, id, capture, after), wait);
    applied.push({ ref: capture });
    after = [wait.id];
  }
  const id = `${cluster}/app/${app.name}`;
  if (restarts) {
    const restart = changeStep(cluster, `${id}/restart`, `let ${app.name} start with its proxies, or without`, after, [
      ...['rollout', 'restart', 'deployments,daemonsets,statefulsets', '--namespace', app.namespace],
      ...['--selector', selectorOf(target, app.name)],
    ]);
    steps.push(restart, waitStep(target, app, `${id}/restarted`, [restart.id]));
    after = [`${id}/restarted`];
  }
  if (stale.length > 0) {
    const selector = `${selectorOf(target, app.name)},${APPS.hashLabel}!=${app.hash}`;
    const prune = deleteStep(cluster, `${id}/prune`, `remove what is no longer in ${app.name}`, after, stale, selector);
    steps.push(prune);
    after = [prune.id];
  }
  return [...steps, ...noteSteps(target, app, applied, after)];
}

/** Of a list, or of one object: its version, kind, namespace and name, unless it is one that goes by itself. */
const OBJECTS = [
  '{{define "object"}}{{if not (or (eq .kind "Namespace")',
  ' (and (eq .kind "Job") (exists . "spec" "ttlSecondsAfterFinished")))}}',
  '\\n{{.apiVersion}} {{.kind}} {{with .metadata.namespace}}{{.}}{{end}}/{{.metadata.name}}{{end}}{{end}}',
  '{{if .items}}{{range .items}}{{template "object" .}}{{end}}{{else}}{{template "object" .}}{{end}}',
].join('');

/** Writes down which objects an app has, so that it is noticed when one of them is gone. */
function noteSteps({ cluster, uid }: Target, app: App, applied: readonly Value[], needs: readonly string[]): Step[] {
  const id = `${cluster}/app/${app.name}`;
  // As JSON, like the rest of that input; it makes sure that something is found.
  const namespace = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: app.namespace } });
  const mark = [
    ...['apiVersion: v1', 'kind: Namespace', 'metadata:', `  name: ${app.namespace}`, '  annotations:'],
    `    ${markOf(app.name)}: "${app.hash} ${uid}${OBJECTS}"`,
  ].join('\n');
  const list: QueryStep = {
    kind: 'query',
    id: `${id}/objects`,
    title: `list what ${app.name} brought`,
    clusters: [cluster],
    needs,
    timeout: 60,
    why: 'The answer is the namespace with a note of it.',
    argv: [
      ...['kubectl', '--kubeconfig', namespaceFile(cluster, app.namespace)],
      ...['get', '-f', '-', '--ignore-not-found', '-o', `go-template=${mark}`],
    ],
    stdin: [namespace, ...applied],
    capture: `${id}/objects`,
  };
  // With a manager of its own: what the one of the objects says of a namespace is not taken back.
  const note: RunStep = {
    ...changeStep(
      cluster,
      `${id}/note`,
      `note that ${app.name} runs`,
      [list.id],
      [...['apply', '--server-side', '--force-conflicts', `--field-manager=lab-note-${app.name}`, '-f', '-']],
    ),
    stdin: { ref: list.capture },
  };
  return [list, note];
}

/** Objects whose type was defined a moment ago are not known at once: then all of them are applied again. */
function objectsStep(cluster: string, app: App, id: string, capture: string, needs: readonly string[]): RunStep {
  return {
    kind: 'run',
    id,
    title: `apply ${app.name}`,
    clusters: [cluster],
    needs: [capture, ...needs],
    timeout: 180,
    argv: [
      ...['kubectl', '--kubeconfig', namespaceFile(cluster, app.namespace), 'apply', '--server-side'],
      ...['--force-conflicts', '--field-manager=lab-app', '-f', '-'],
    ],
    stdin: { ref: capture },
    retry: applyRetry,
  };
}

/** Waits until every deployment, daemon set and stateful set of an app runs in its newest form. */
export const waitStep = (target: Target, app: App, id: string, needs: readonly string[]): WaitStep => ({
  kind: 'wait',
  id,
  title: `wait for ${app.name}`,
  clusters: [target.cluster],
  needs,
  timeout: 600,
  kubeconfig: kubeconfigFile(target.cluster),
  for: { resource: 'workloads', selector: selectorOf(target, app.name) },
});

/** Lets other clusters see a service. */
export const exportStep = (cluster: string, app: App, { service, mode }: Export, needs: readonly string[]): RunStep =>
  changeStep(cluster, `${cluster}/app/${app.name}/export/${service}`, `export ${service} (${mode})`, needs, [
    ...['label', 'service', service, '--namespace', app.namespace, '--overwrite'],
    ...[...exportWords(mode), `${APPS.exportLabel}=${mode}`],
  ]);

/** Lets them see it no more. */
export const withdrawStep = (
  cluster: string,
  app: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  needs: readonly string[],
): RunStep =>
  changeStep(cluster, `${cluster}/app/${app}/withdraw/${name}`, `export ${name} no more`, needs, [
    ...['label', 'service', name, '--namespace', namespace, '--overwrite'],
    ...[...WITHDRAW_WORDS, `${APPS.exportLabel}-`],
  ]);

export interface Remove {
  readonly app: string;
  readonly types: readonly string[];
  /** Namespaces that say that it runs in them. */
  readonly namespaces: readonly string[];
  readonly needs: readonly string[];
}

/** Takes away everything that an app brought; a namespace that it did not bring stays. */
export function removeSteps(target: Target, { app, types, namespaces, needs }: Remove): RunStep[] {
  const { cluster } = target;
  const id = `${cluster}/app/${app}`;
  const gone =
    types.length === 0
      ? []
      : [deleteStep(cluster, `${id}/remove`, `remove ${app}`, needs, types, selectorOf(target, app))];
  const after = gone.length > 0 ? gone.map((step) => step.id) : needs;
  const forgotten = namespaces.map((namespace) => forgetStep(cluster, app, namespace, after));
  return [...gone, ...forgotten];
}

/** By selector, because the namespace itself may have been in the app. */
export const forgetStep = (cluster: string, app: string, namespace: string, needs: readonly string[]): RunStep =>
  changeStep(cluster, `${cluster}/app/${app}/forget/${namespace}`, `take the mark of ${app} off ${namespace}`, needs, [
    ...['annotate', 'namespace', '--selector', `kubernetes.io/metadata.name=${namespace}`, `${markOf(app)}-`],
  ]);

const deleteStep = (
  cluster: string,
  id: string,
  title: string,
  needs: readonly string[],
  types: readonly string[],
  selector: string,
): RunStep => ({
  ...changeStep(cluster, id, title, needs, [
    ...['delete', types.join(','), '--all-namespaces', '--selector', `${selector},!${APPS.copies}`],
    '--ignore-not-found',
  ]),
  timeout: 300,
});
