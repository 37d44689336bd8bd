import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createPerformer } from '../../src/exec/perform-step.ts';
import type { CheckStep, Step, WaitStep } from '../../src/step/step.ts';
import { toolOutput } from '../tools/fixture.ts';
import { startFakeApi } from './fake-api.ts';
import { fails, fakeRunner, says } from './fake-runner.ts';
import { makeTemporaryDirectory } from './real-process.ts';
import { runStep } from './steps.ts';

function stage(answer?: Parameters<typeof fakeRunner>[0]) {
  const stateDir = makeTemporaryDirectory();
  mkdirSync(join(stateDir, 'kubeconfigs'));
  const fake = fakeRunner(answer);
  const warned: string[] = [];
  const perform = createPerformer({
    runner: fake.runner,
    stateDir,
    kubeconfig: join(stateDir, 'config'),
    secrets: { a: { LICENSE: 'secret-of-a', OTHER: 'not asked for' } },
    signal: new AbortController().signal,
    onProcess: () => {},
    onWarning: (_, warnings) => warned.push(...warnings),
  });
  return { ...fake, perform, stateDir, warned };
}

const base = { title: 't', clusters: ['a'], needs: [], timeout: 5 };

describe('variables whose values are in no plan', () => {
  it('are given to the commands that ask for them, from the cluster whose they are', async () => {
    const { perform, commands } = stage();
    const names = ['LICENSE', 'FROM_OUTSIDE'];
    const query = { ...base, kind: 'query', argv: ['linkerd'], capture: 'q', clusters: ['b'] } as const;
    await perform({ ...query, id: 'b/link/a/generate', secretEnv: { of: 'a', names } });
    await perform(runStep('b/x', { secretEnv: { of: 'b', names } }));
    expect(commands.map(({ env }) => env)).toEqual([{ LICENSE: 'secret-of-a' }, {}]);
  });
});

describe('a render and its apply', () => {
  it('are joined by a capture: what fails to render is never applied', async () => {
    const { perform, commands } = stage((line) =>
      line.startsWith('bad') ? fails('Error: no\nUsage:\n  --timeout') : says('kind: X'),
    );
    await perform({ ...base, kind: 'query', id: 'a/r', argv: ['good'], capture: 'r' });
    await perform(runStep('a/apply', { stdin: { ref: 'r' } }));
    expect(commands.at(-1)?.stdin).toBe('kind: X');
    const retry = { on: ['timeout'], every: 0.001, for: 60 };
    const failing = perform({ ...base, kind: 'query', id: 'a/b', argv: ['bad'], capture: 'b', retry });
    await expect(failing).rejects.toThrow(/^bad: exit code 1\n {2}Error: no$/);
  });
});

describe('a check of results', () => {
  const step: CheckStep = {
    ...base,
    kind: 'check',
    id: 'a/c',
    check: { argv: ['linkerd', 'check'], reads: 'linkerd-check' },
  };
  const checked = (stdout: string, exitCode = 0) => stage(() => ({ exitCode, stdout, stderr: '' }));

  it('passes when the only thing wrong is that the internet is away', async () => {
    const { perform, warned } = checked(toolOutput('linkerd-edge-26.8.3/check.json'));
    expect(await perform(step)).toBeUndefined();
    expect(warned).toEqual([]);
  });

  it('fails with each failed check, and not with its JSON', async () => {
    const { perform } = checked(toolOutput('linkerd-edge-26.8.3/check-pre-installed.json'), 1);
    const error = (await perform(step).catch((reason: unknown) => reason)) as Error;
    expect(error.message).toMatch(
      /^pre-kubernetes-setup: control plane namespace does not already exist: The "linkerd"/,
    );
    expect(error.message).not.toContain('"result"');
  });

  it('tells of warnings and passes', async () => {
    const check = { description: 'no clock skew detected', result: 'warning', error: 'clock skew of 3m' };
    const { perform, warned } = checked(JSON.stringify({ categories: [{ categoryName: 'pre', checks: [check] }] }));
    await perform(step);
    expect(warned).toEqual(['pre: no clock skew detected: clock skew of 3m']);
  });

  it('fails with what was said when nothing came to be checked', async () => {
    const { perform } = stage(() => fails('Error: unknown flag: --wiat\nUsage:\n  linkerd check'));
    await expect(perform(step)).rejects.toThrow('linkerd check: exit code 1\n  Error: unknown flag: --wiat');
  });
});

describe('a workload that never becomes ready', () => {
  const wait = (stateDir: string, kubeconfig: string): Step => {
    writeFileSync(join(stateDir, 'kubeconfigs/a.yaml'), kubeconfig);
    const step: WaitStep = {
      ...base,
      kind: 'wait',
      id: 'a/w',
      timeout: 0.1,
      kubeconfig: { file: 'kubeconfigs/a.yaml' },
      for: { resource: 'deployment', namespace: 'n', name: 'd' },
    };
    return step;
  };
  const deployment = { metadata: { name: 'd' }, spec: { selector: { matchLabels: { app: 'd' } } } };
  const pod = (name: string, containerStatuses: readonly object[]) => ({
    metadata: { name },
    status: { conditions: [{ type: 'Ready', status: 'False' }], containerStatuses },
  });

  it('names the pod, its last events and the end of its log', async () => {
    const { kubeconfig, asked } = await startFakeApi((path) => {
      if (path.endsWith('/deployments/d')) return deployment;
      if (path.includes('/pods?')) {
        const ready = { metadata: { name: 'fine' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
        return {
          items: [
            ready,
            pod('d-1', [
              { name: 'c', ready: false, restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } },
            ]),
          ],
        };
      }
      if (path.includes('/events?'))
        return {
          items: [
            { message: 'Back-off restarting failed container', lastTimestamp: '2026-01-01T00:00:02Z' },
            { message: 'Pulled image', lastTimestamp: '2026-01-01T00:00:01Z' },
          ],
        };
      return path.includes('/log?') ? 'the last words' : undefined;
    });
    const { perform, stateDir } = stage();
    const error = (await perform(wait(stateDir, kubeconfig)).catch((reason: unknown) => reason)) as Error;
    expect(error.message.split('\n')).toEqual([
      'not ready after 0.1 s: deployment d is not ready',
      'pod d-1: container c CrashLoopBackOff',
      'its last events:',
      '  Pulled image',
      '  Back-off restarting failed container',
      'log of c:',
      '  "the last words"',
    ]);
    expect(asked.some((path) => path.includes('previous=true'))).toBe(true);
  });

  it('names the events where there is no pod', async () => {
    const { kubeconfig } = await startFakeApi((path) => {
      if (path.endsWith('/deployments/d')) return deployment;
      return path.includes('/events?') ? { items: [{ message: 'quota exceeded' }] } : { items: [] };
    });
    const { perform, stateDir } = stage();
    await expect(perform(wait(stateDir, kubeconfig))).rejects.toThrow(
      /it has no pod; its last events:\n {2}quota exceeded/,
    );
  });

  it('says at least that much when the server does not tell more', async () => {
    const { kubeconfig } = await startFakeApi((path) =>
      path.endsWith('/deployments/d') ? deployment : new Error('no'),
    );
    const { perform, stateDir } = stage();
    await expect(perform(wait(stateDir, kubeconfig))).rejects.toThrow(
      /^not ready after 0.1 s: deployment d is not ready$/,
    );
  });
});
