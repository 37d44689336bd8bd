import { stringify } from 'yaml';
import { APPS, type App, type AppSource, type ChartSource } from '../lab/apps.ts';
import type { LinkerdSpec } from '../lab/mesh.ts';
import { linkerdCall } from '../mesh/linkerd-command.ts';
import type { QueryStep, Step, Value, WriteStep } from '../step/step.ts';
import { kubectlArgv } from '../tools/kubectl.ts';

export interface Target {
  readonly cluster: string;
  /** Of the lab. */
  readonly uid: string;
  /** Present where the cluster has Linkerd. */
  readonly linkerd?: LinkerdSpec;
}

interface Render {
  readonly id: string;
  readonly app: App;
  readonly source: AppSource;
  readonly needs: readonly string[];
}

/**
 * The objects of one source, each with the mark of its app, in a capture that has the name of the last step. They may
 * hold passwords, so they are nowhere but in captures.
 */
export function renderSteps(target: Target, { id, app, source, needs }: Render): Step[] {
  const { cluster, uid } = target;
  const base = { clusters: [cluster], timeout: 120 };
  const rendered = source.kind === 'manifest' ? [] : rendering(target, { id, app, source, needs });
  const [last] = rendered.slice(-1);
  const from = source.kind === 'manifest' ? source.manifest.location : '-';
  const mark: QueryStep = {
    ...base,
    kind: 'query',
    id: `${id}/mark`,
    title: `mark the objects of ${app.name}`,
    needs: last ? [last.id] : needs,
    argv: kubectlArgv(cluster, [
      ...['label', '--local', '--overwrite', '-f', from],
      ...[`${APPS.label}=${app.name}`, `${APPS.hashLabel}=${app.hash}`, `${APPS.ownerLabel}=${uid}`, '-o', 'json'],
    ]),
    ...(last && { stdin: { ref: last.id } }),
    capture: `${id}/mark`,
  };
  return [...rendered, mark];
}

type Rendered = Exclude<AppSource, { readonly kind: 'manifest' }>;

function rendering(target: Target, { id, app, source, needs }: Render & { readonly source: Rendered }): Step[] {
  const { cluster } = target;
  const file = { file: `apps/${id.replaceAll('/', '_')}.yaml` };
  const values: WriteStep = {
    kind: 'write',
    id: `${id}/values`,
    title: `write the values of ${app.name}`,
    clusters: [cluster],
    needs: [],
    timeout: 10,
    file,
    content: stringify(source.values),
    mode: 0o600,
  };
  const hasValues = Object.keys(source.values).length > 0;
  const render: QueryStep = {
    kind: 'query',
    id: `${id}/render`,
    title: `render ${app.name}`,
    clusters: [cluster],
    needs: [...needs, ...(hasValues ? [values.id] : [])],
    timeout: 300,
    ...(source.kind === 'chart'
      ? { argv: helmArgv(app, source, hasValues ? file : undefined) }
      : extensionCall(target, source.extension, hasValues ? file : undefined)),
    capture: `${id}/render`,
  };
  return [...(hasValues ? [values] : []), render];
}

/** `helm template`, not `install`: a release that a kill left pending takes no other, and keeps all values in a Secret. */
function helmArgv(
  { name, namespace }: App,
  { chart, repo, version, valuesFrom, only }: ChartSource,
  values: Value | undefined,
): Value[] {
  return [
    ...['helm', 'template', name, chart, '--namespace', namespace, '--include-crds', '--skip-tests'],
    ...(repo === undefined ? [] : ['--repo', repo]),
    ...(version === undefined ? [] : ['--version', version]),
    ...(valuesFrom === undefined ? [] : ['--values', valuesFrom]),
    ...(values === undefined ? [] : ['--values', values]),
    ...only.flatMap((template) => ['--show-only', template]),
  ];
}

function extensionCall({ cluster, linkerd }: Target, extension: string, values: Value | undefined) {
  if (!linkerd) throw new TypeError(`${cluster} has no Linkerd for ${extension}`);
  return linkerdCall(linkerd, cluster, [
    ...[extension, 'install', '--ignore-cluster'],
    ...(values === undefined ? [] : ['--values', values]),
  ]);
}
