import { LINKERD } from '../lab/linkerd.ts';
import type { LinkerdSpec } from '../lab/mesh.ts';
import type { RunStep, Value, WaitStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { kubectlArgv } from '../tools/kubectl.ts';

/** A call of the CLI for one cluster, and the variables that it wants. */
export const linkerdCall = (spec: LinkerdSpec, cluster: string, args: readonly Value[]) => ({
  argv: [spec.binary, '--kubeconfig', kubeconfigFile(cluster), ...args],
  ...(spec.env.length > 0 && { secretEnv: { of: cluster, names: spec.env } }),
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

/** Notes on a namespace that something else is being applied: a run that fails or is killed leaves it at that. */
export const unfinishedStep = (cluster: string, id: string, namespace: string, needs: readonly string[]): RunStep => ({
  ...inputsStep(cluster, id, namespace, LINKERD.unfinished, needs),
  title: `note that ${namespace} changes`,
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
