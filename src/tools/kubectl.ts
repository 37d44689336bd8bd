/** `kubectl`: its command line for one cluster, and how manifests are applied. */
import type { Retry, RunStep, Value } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';

export const kubectlArgv = (cluster: string, args: readonly Value[]): Value[] => [
  ...['kubectl', '--kubeconfig', kubeconfigFile(cluster)],
  ...args,
];

/** What an API server says for a while: it just starts, a webhook has no pod yet, a type was defined a moment ago. */
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
  ],
  every: 2,
  for: 60,
};

interface Apply {
  readonly id: string;
  readonly title: string;
  readonly cluster: string;
  readonly needs: readonly string[];
  /** A manifest that can be fetched, what an earlier step rendered, or its text. */
  readonly from: string | { readonly ref: string } | { readonly text: string };
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
  ...(typeof from !== 'string' && { stdin: 'text' in from ? from.text : from }),
  retry: applyRetry,
});

/** Changes something on a cluster by a short command. */
export const changeStep = (
  cluster: string,
  id: string,
  title: string,
  needs: readonly string[],
  args: readonly Value[],
): RunStep => ({ kind: 'run', id, title, clusters: [cluster], needs, timeout: 60, argv: kubectlArgv(cluster, args) });
