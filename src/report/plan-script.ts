import { quoteWord } from '../step/shell.ts';
import type { Plan } from '../step/step.ts';
import { CERTIFICATE_FUNCTIONS } from './render-certificate.ts';
import { type Render, renderStep, renderValue } from './render-step.ts';

const FUNCTIONS = `# retry SECONDS EVERY COMMAND...: until it succeeds; standard input is the same for every try
retry() {
  local end=$((SECONDS + $1)) every=$2 input
  shift 2
  input=$(cat)
  until "$@" <<<"$input"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep "$every"
  done
}

# merge_contexts PRIVATE NAME...: puts the cluster of a private kubeconfig in yours, as a context of each name
merge_contexts() (
  umask 077
  private=$1 yours=\${KUBECONFIG:-$HOME/.kube/config}
  shift
  yours=\${yours%%:*}
  mkdir -p "$(dirname "$yours")" && touch "$yours"
  copy=$(mktemp) && merged=$(mktemp) && cp "$private" "$copy"
  cluster=$(kubectl --kubeconfig "$copy" config view --minify -o 'jsonpath={.contexts[0].context.cluster}')
  user=$(kubectl --kubeconfig "$copy" config view --minify -o 'jsonpath={.contexts[0].context.user}')
  for name; do
    kubectl --kubeconfig "$copy" config set-context "$name" --cluster="$cluster" --user="$user" >/dev/null
  done
  kubectl --kubeconfig "$copy" config unset current-context >/dev/null
  # Of two entries with one name the first counts; but your current context stays.
  current=$(kubectl --kubeconfig "$yours" config current-context 2>/dev/null) || true
  KUBECONFIG="$copy:$yours" kubectl config view --flatten --raw >"$merged" && cat "$merged" >"$yours"
  [ -z "$current" ] || kubectl --kubeconfig "$yours" config use-context "$current" >/dev/null
  rm -f "$copy" "$merged"
)

# remove_contexts FILES NAME...: takes contexts out, with the cluster and user that no other one refers to
remove_contexts() (
  export KUBECONFIG=$1
  shift
  for name; do
    context="{.contexts[?(@.name=='$name')].context"
    cluster=$(kubectl config view -o "jsonpath=$context.cluster}") || true
    user=$(kubectl config view -o "jsonpath=$context.user}") || true
    kubectl config delete-context "$name" || continue
    used=$(kubectl config view -o 'jsonpath={range .contexts[*]}{.context.cluster}{"\\n"}{.context.user}{"\\n"}{end}')
    grep -qxF -- "$cluster" <<<"$used" || kubectl config delete-cluster "$cluster"
    grep -qxF -- "$user" <<<"$used" || kubectl config delete-user "$user"
  done
)`;

/** Whatever it says, none of it is run. */
const comment = (text: string): string => `# ${text.replaceAll('\n', '\n# ')}`;

/** Of the state directory: those that the steps write into. */
const foldersOf = ({ steps }: Plan): string[] => {
  const written = steps.flatMap((step) => (step.kind === 'write' ? [dirname(step.file.file)] : []));
  return [...new Set(['kubeconfigs', ...written])].map((folder) => `"$STATE/${folder}"`);
};

const dirname = (file: string): string => file.replace(/\/[^/]*$/, '');

/** Files of the lab's folder by way of a variable, so that script and folder can be moved. */
const renderInFolder =
  (folder: string): Render =>
  (value) =>
    typeof value === 'string' && value.startsWith(`${folder}/`)
      ? `"$LAB_DIR"/${quoteWord(value.slice(folder.length + 1))}`
      : renderValue(value);

const folderLines = (folder: string): string[] => [
  '# The folder of the specs; LAB_DIR says where it is, if not there.',
  `LAB_DIR=\${LAB_DIR:-${quoteWord(folder)}}`,
];

/**
 * The plan as a bash script that does the same, one step after the other, with a comment a step. Files are looked for in
 * `folder`, that of the specs.
 */
export function renderScript(plan: Plan, folder: string): string {
  const render = renderInFolder(folder);
  const steps = plan.steps.map((step) =>
    [
      comment(`${step.clusters.join(', ') || 'lab'}: ${step.title}`),
      ...(step.why ? [comment(step.why)] : []),
      ...renderStep(step, render),
    ].join('\n'),
  );
  return `${[
    '#!/usr/bin/env bash',
    comment(`lab ${plan.verb}, lab ${plan.lab.name}. ${plan.summary}`),
    'set -euo pipefail',
    '',
    ...(steps.some((step) => step.includes('"$LAB_DIR"/')) ? folderLines(folder) : []),
    `STATE=\${XDG_STATE_HOME:-$HOME/.local/state}/lab/labs/${plan.lab.uid}`,
    `(umask 077 && mkdir -p ${foldersOf(plan).join(' ')})`,
    '',
    FUNCTIONS,
    '',
    ...(plan.steps.some(({ kind }) => kind === 'certificate') ? [CERTIFICATE_FUNCTIONS, ''] : []),
    steps.join('\n\n'),
  ].join('\n')}\n`;
}
