import { quoteWord } from '../step/shell.ts';
import type { Environment, Precondition, QueryStep, SecretEnv, Step, Value } from '../step/step.ts';
import { renderCertificate } from './render-certificate.ts';

/** A capture's name as a shell variable. */
const variable = (ref: string): string => ref.replace(/\W/g, '_');

/** A value as a word of a shell command line; state files are relative to `$STATE`. */
export function renderValue(value: Value): string {
  if (typeof value === 'string') return quoteWord(value);
  return 'file' in value ? `"$STATE/${value.file}"` : `"$${variable(value.ref)}"`;
}

/** How values stand in a script. */
export type Render = (value: Value) => string;

/** A command line of values that can be pasted into a shell. */
const renderArgv = (argv: readonly Value[], render: Render): string => argv.map(render).join(' ');

/** What stands before a command line. */
export const renderEnv = (env: Environment = {}): string =>
  Object.entries(env)
    .map(([name, value]) => `${name}=${value === '' ? '' : renderValue(value)} `)
    .join('');

const retriedArgv = ({ argv, retry }: QueryStep, render: Render): string =>
  retry ? `retry ${retry.for} ${retry.every} ${renderArgv(argv, render)} </dev/null` : renderArgv(argv, render);

/** Their values are in no script: whoever runs it has to bring them. */
const renderSecrets = ({ names }: Partial<SecretEnv> = {}): string[] =>
  (names ?? []).map((name) => `export ${name}="\${${name}:?is needed}"`);

/** The files that kubectl uses. */
const YOURS = `"\${KUBECONFIG:-$HOME/.kube/config}"`;

/** A step as lines of bash, for a script that defines what `renderScript` puts at its head. */
export function renderStep(step: Step, render: Render = renderValue): string[] {
  switch (step.kind) {
    case 'run': {
      const retried = step.retry ? `retry ${step.retry.for} ${step.retry.every} ` : '';
      const command = withInput(
        `${renderEnv(step.env)}${retried}${renderArgv(step.argv, render)}`,
        step.stdin,
        step.retry !== undefined,
      );
      return [
        ...renderSecrets(step.secretEnv),
        ...(step.precondition ? guarded(step.precondition, command, render) : command),
      ];
    }
    case 'query':
      return [
        ...renderSecrets(step.secretEnv),
        `${variable(step.capture)}=$(${withInput(`${renderEnv(step.env)}${retriedArgv(step, render)}`, step.stdin, false).join('\n')})`,
      ];
    case 'write':
      return [`(umask 077 && printf '%s\\n' ${renderValue(step.content)} > ${renderValue(step.file)})`];
    case 'kubeconfig':
      return step.action === 'merge'
        ? [`merge_contexts ${renderValue(step.source)} ${step.contexts.join(' ')}`]
        : [`remove_contexts ${step.file ? quoteWord(step.file) : YOURS} ${step.contexts.map(quoteWord).join(' ')}`];
    case 'wait':
      return [renderWait(step)];
    case 'certificate':
      return renderCertificate(step.action, render);
    case 'check':
      return 'reads' in step.check
        ? [...renderSecrets(step.check.secretEnv), `${renderArgv(step.check.argv, render)} >/dev/null`]
        : guarded(step.check, [], render);
  }
}

function renderWait({ for: wait, kubeconfig, timeout }: Step & { kind: 'wait' }): string {
  const kubectl = `kubectl --kubeconfig ${renderValue(kubeconfig)}`;
  if (wait.resource === 'nodes')
    return `retry ${timeout} 2 ${kubectl} wait --for=condition=Ready nodes --all --timeout=30s </dev/null`;
  if (wait.resource === 'workloads') return renderWorkloads(kubectl, wait.selector, timeout);
  return wait.resource === 'pods'
    ? `${kubectl} --namespace ${wait.namespace} wait --for=condition=Ready pods --all --timeout=${timeout}s </dev/null`
    : `${kubectl} --namespace ${wait.namespace} rollout status ${wait.resource}/${wait.name} --timeout=${timeout}s`;
}

/** `rollout status` takes no namespace but one. */
const renderWorkloads = (kubectl: string, selector: string, timeout: number): string =>
  [
    `${kubectl} get deployments,daemonsets,statefulsets --all-namespaces --selector ${quoteWord(selector)} \\`,
    `  -o 'jsonpath={range .items[*]}{.metadata.namespace} {.kind}/{.metadata.name}{"\\n"}{end}' |`,
    '  while read -r namespace workload; do',
    `    ${kubectl} --namespace "$namespace" rollout status "$workload" --timeout=${timeout}s </dev/null`,
    '  done',
  ].join('\n');

function withInput(command: string, stdin: QueryStep['stdin'], retried: boolean): string[] {
  if (stdin === undefined) return [retried ? `${command} </dev/null` : command];
  if (typeof stdin !== 'string') return [`${command} <<<${[stdin].flat().map(renderValue).join("$'\\n'")}`];
  const lines = stdin.replace(/\n$/, '').split('\n');
  let end = 'EOF';
  while (lines.includes(end)) end += '_';
  return [`${command} <<'${end}'`, ...lines, end];
}

function guarded(
  { argv, expect, otherwise, message }: Precondition,
  command: readonly string[],
  render: Render,
): string[] {
  const holds =
    expect === 'empty' ? `[ -z "$(${renderArgv(argv, render)})" ]` : `! ${renderArgv(argv, render)} >/dev/null 2>&1`;
  if (otherwise === 'skip') return [`if ${holds}; then`, ...command, 'fi'];
  return [`${holds} || { echo ${quoteWord(message)} >&2; exit 1; }`, ...command];
}
