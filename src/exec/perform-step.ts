import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError } from '../errors.ts';
import { connectApi } from '../observe/api-client.ts';
import { describePodTrouble } from '../observe/pod-trouble.ts';
import { lookAt } from '../observe/workloads.ts';
import { type Command, type Outcome, type Runner, succeeded } from '../step/runner.ts';
import type {
  KubeconfigStep,
  Precondition,
  QueryStep,
  ResultsCheck,
  RunStep,
  SecretEnv,
  Step,
  Value,
  WaitStep,
} from '../step/step.ts';
import { readChecks, summariseChecks } from '../tools/linkerd.ts';
import { LEASES_PATH, notHeardOf, PODS_PATH } from '../tools/node-restart.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { mergeContexts, removeContexts } from './kubeconfig.ts';
import { performCertificate } from './perform-certificate.ts';
import { describeFailure, withoutUsage } from './run-command.ts';

export interface PerformInput {
  readonly runner: Runner;
  /** The lab's state directory, which `{file}` values are relative to. */
  readonly stateDir: string;
  /** The user's kubeconfig. */
  readonly kubeconfig: string;
  /** Values of variables by cluster and name, for `secretEnv`; a name that is not here is in the environment. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly signal: AbortSignal;
  /** Told what a check found that is not right and does not fail. */
  readonly onWarning?: (step: Step, warnings: readonly string[]) => void;
  /** Told of every process, so that a later run can find an orphan. */
  readonly onProcess: (step: Step, argv0: string, pid: number) => void;
}

/** Does steps, one at a time or many at once; captures are shared between them. */
export function createPerformer(input: PerformInput): (step: Step) => Promise<string | undefined> {
  const captures = new Map<string, string>();
  const text = (value: Value): string => {
    if (typeof value === 'string') return value;
    if ('file' in value) return join(input.stateDir, value.file);
    return captures.get(value.ref) ?? '';
  };
  const command = (step: Step, argv: readonly Value[]): Command => ({
    argv: argv.map(text),
    timeout: step.timeout,
    onStart: (pid) => input.onProcess(step, text(argv[0] ?? ''), pid),
  });

  const secretsOf = ({ of, names }: SecretEnv = { of: '', names: [] }): Record<string, string> => {
    const known = input.secrets?.[of] ?? {};
    return Object.fromEntries(names.flatMap((name) => (name in known ? [[name, known[name] ?? '']] : [])));
  };

  const run = async (step: RunStep | QueryStep): Promise<Outcome> => {
    const plain = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, text(value)]));
    const { stdin } = step;
    const request = {
      ...command(step, step.argv),
      ...(stdin !== undefined && { stdin: [stdin].flat().map(text).join('\n') }),
      env: { ...plain, ...secretsOf(step.secretEnv) },
    };
    const began = performance.now();
    const left = () => Math.max(step.timeout, step.retry?.for ?? 0) - (performance.now() - began) / 1000;
    for (let timeout = step.timeout; ; timeout = Math.min(timeout, left())) {
      const outcome = await input.runner.run({ ...request, timeout });
      if (succeeded(outcome)) return outcome;
      const again =
        step.retry?.on.some((pattern) => new RegExp(pattern, 'i').test(withoutUsage(outcome.stderr))) ?? false;
      if (!again || outcome.failure || performance.now() - began > (step.retry?.for ?? 0) * 1000)
        throw new FailedError(describeFailure(request, outcome));
      await sleep((step.retry?.every ?? 1) * 1000, undefined, { signal: input.signal });
    }
  };

  /** Resolves to the message when what was relied on does not hold. */
  const violated = async (step: Step, { argv, expect, message }: Precondition): Promise<string | undefined> => {
    const outcome = await input.runner.run(command(step, argv));
    // A look that fails says nothing about what it was to look at.
    if (outcome.failure || (expect === 'empty' && !succeeded(outcome)))
      throw new FailedError(describeFailure(command(step, argv), outcome));
    const holds = expect === 'failure' ? !succeeded(outcome) : outcome.stdout.trim() === '';
    return holds ? undefined : message;
  };

  /** @throws FailedError with every check that failed */
  const checkResults = async (step: Step, { argv, secretEnv }: ResultsCheck): Promise<undefined> => {
    const request = { ...command(step, argv), env: secretsOf(secretEnv) };
    const outcome = await input.runner.run(request);
    const results = outcome.failure ? undefined : readChecks(outcome.stdout);
    const { failed = [], warnings = [] } = results ? summariseChecks(results) : {};
    if (!succeeded(outcome) || failed.length > 0)
      throw new FailedError(failed.length > 0 ? failed.join('\n') : describeFailure(request, outcome));
    input.onWarning?.(step, warnings);
    return undefined;
  };

  return async (step) => {
    switch (step.kind) {
      case 'run': {
        const message = step.precondition && (await violated(step, step.precondition));
        if (message !== undefined && step.precondition?.otherwise === 'skip') return message;
        if (message !== undefined) throw new FailedError(message);
        await run(step);
        return undefined;
      }
      case 'query':
        captures.set(step.capture, (await run(step)).stdout.trim());
        return undefined;
      case 'write':
        await writeFileAtomically(text(step.file), `${text(step.content)}\n`, { mode: step.mode });
        return undefined;
      case 'kubeconfig':
        await editKubeconfig(step, text(step.source), input.kubeconfig);
        return undefined;
      case 'wait':
        await waitFor(step, text(step.kubeconfig), input.signal);
        return undefined;
      case 'certificate':
        return performCertificate(step.action, text);
      case 'check': {
        if ('reads' in step.check) return checkResults(step, step.check);
        const message = await violated(step, step.check);
        if (message !== undefined) throw new FailedError(message);
        return undefined;
      }
    }
  };
}

async function editKubeconfig(
  { action, contexts, owner, cluster, file: chosen }: KubeconfigStep,
  source: string,
  users: string,
): Promise<void> {
  if (action === 'merge') {
    await mergeContexts({ file: users, privateFile: source, contexts, uid: owner, cluster });
  }
  if (action === 'remove') await removeContexts({ file: chosen ?? users, contexts, uid: owner });
}

/** Asks the API server twice a second; a deadline names what was seen last. */
async function waitFor(step: WaitStep, kubeconfig: string, signal: AbortSignal): Promise<void> {
  const api = await connectApi(await readFile(kubeconfig, 'utf8'));
  const deadline = performance.now() + step.timeout * 1000;
  let seen = 'the API server did not answer';
  const restarts = (step.for.resource === 'nodes' && step.for.since) || undefined;
  try {
    while (performance.now() < deadline) {
      try {
        const verdict = await lookAt(api, step.for);
        const silent =
          verdict.done && restarts
            ? notHeardOf(restarts, ...(await Promise.all([api.get(LEASES_PATH), api.get(PODS_PATH)])))
            : [];
        if (verdict.done && silent.length === 0) return;
        seen = verdict.done ? `no news of ${silent.join(', ')} and its pods since the restart` : verdict.seen;
      } catch (error) {
        seen = `the API server does not answer: ${error instanceof Error ? error.message : error}`;
      }
      await sleep(500, undefined, { signal });
    }
    const pods = await describePodTrouble(api, step.for).catch(() => []);
    throw new FailedError([`not ready after ${step.timeout} s: ${seen}`, ...pods].join('\n'));
  } finally {
    api.close();
  }
}
