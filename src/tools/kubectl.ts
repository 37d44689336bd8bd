/** `kubectl`: its command line for one cluster, and how manifests are applied. */
import type { Retry, RunStep, Value } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { type DataMap, writeYaml } from './write-yaml.ts';

export const kubectlArgv = (cluster: string, args: readonly Value[]): Value[] => [
  ...['kubectl', '--kubeconfig', kubeconfigFile(cluster)],
  ...args,
];

/**
 * What an API server says for a while: it just starts, a webhook has no pod yet or has not heard of a namespace, that one
 * has no service account yet, or is still the one before; a type was defined a moment ago.
 */
export const applyRetry: Retry = {
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
    'serviceaccount "[^"]*" not found',
    'is being terminated',
    'could not find the requested resource',
  ],
  every: 2,
  for: 120,
};

interface Apply {
  readonly id: string;
  readonly title: string;
  readonly cluster: string;
  readonly needs: readonly string[];
  /** Manifests that can be fetched, what an earlier step rendered, or objects. */
  readonly from:
    | { readonly files: readonly string[] }
    | { readonly ref: string }
    | { readonly objects: readonly DataMap[] };
  readonly why?: string;
}

/** Applies manifests; a render that fails never gets here, because it is a step of its own. */
export function applyStep({ id, title, cluster, needs, from, why }: Apply): RunStep {
  const files = 'files' in from ? from.files : ['-'];
  return {
    kind: 'run',
    id,
    title,
    clusters: [cluster],
    needs,
    timeout: 180,
    ...(why !== undefined && { why }),
    argv: kubectlArgv(cluster, [
      ...['apply', '--server-side', '--force-conflicts', '--field-manager=lab'],
      ...files.flatMap((file) => ['-f', file]),
    ]),
    ...('objects' in from && { stdin: from.objects.map(writeYaml).join('---\n') }),
    ...('ref' in from && { stdin: from }),
    retry: applyRetry,
  };
}

/** Changes something on a cluster by a short command. */
export const changeStep = (
  cluster: string,
  id: string,
  title: string,
  needs: readonly string[],
  args: readonly Value[],
): RunStep => ({ kind: 'run', id, title, clusters: [cluster], needs, timeout: 60, argv: kubectlArgv(cluster, args) });
