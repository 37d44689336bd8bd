import { LINKERD } from '../lab/linkerd.ts';
import type { LinkerdSpec } from '../lab/mesh.ts';
import type { Retry, RunStep, Value, WaitStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';

/** A call of the CLI for one cluster, and the variables that it wants. */
export const linkerdCall = (spec: LinkerdSpec, cluster: string, args: readonly Value[]) => ({
  argv: [spec.binary, '--kubeconfig', kubeconfigFile(cluster), ...args],
  ...(spec.env.length > 0 && { secretEnv: spec.env }),
});

export const kubectlArgv = (cluster: string, args: readonly Value[]): Value[] => [
  ...['kubectl', '--kubeconfig', kubeconfigFile(cluster)],
  ...args,
];

/** What an API server says for a while: it just starts, a webhook has no pod yet, a type was defined a moment ago. */
const SETTLING: Retry = {
  on: [
    'connection refused',
    'was refused',
    'EOF',
    'timeout',
    'Unable to connect',
    'ServiceUnavailable',
    'failed calling webhook',
    'no matches for kind',
    'no endpoints available',
    'namespaces "[^"]*" not found',
  ],
  every: 2,
  for: 60,
};

interface Apply {
  readonly id: string;
  readonly title: string;
  readonly cluster: string;
  readonly needs: readonly string[];
  /** A manifest that can be fetched, or what an earlier step rendered. */
  readonly from: string | { readonly ref: string };
  readonly why?: string;
}

/** Applies a manifest; a render that fails never gets here, because it is a step of its own. */
export const applyStep = ({ id, title, cluster, needs, from, why }: Apply): RunStep => ({
  kind: 'run',
  id,
  title,
  clusters: [cluster],
  needs,
  timeout: 180,
  ...(why !== undefined && { why }),
  argv: kubectlArgv(cluster, [
    ...['apply', '--server-side', '--force-conflicts', '--field-manager=lab', '-f'],
    typeof from === 'string' ? from : '-',
  ]),
  ...(typeof from !== 'string' && { stdin: from }),
  retry: SETTLING,
});

/** Waits until a deployment of Linkerd runs in its newest form. */
export const deploymentStep = (
  cluster: string,
  namespace: string,
  name: string,
  needs: readonly string[],
): WaitStep => ({
  kind: 'wait',
  id: `${cluster}/wait/${name}`,
  title: `wait for ${name}`,
  clusters: [cluster],
  needs,
  timeout: 300,
  kubeconfig: kubeconfigFile(cluster),
  for: { resource: 'deployment', namespace, name },
});

/** Notes on a namespace what was applied, once it runs: the next run compares, and does nothing. */
export const inputsStep = (
  cluster: string,
  id: string,
  namespace: string,
  inputs: string,
  needs: readonly string[],
): RunStep => ({
  kind: 'run',
  id,
  title: `note what ${namespace} was made from`,
  clusters: [cluster],
  needs,
  timeout: 30,
  argv: kubectlArgv(cluster, [
    'annotate',
    'namespace',
    namespace,
    '--overwrite',
    `${LINKERD.inputsAnnotation}=${inputs}`,
  ]),
});
