import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FailedError } from '../../src/errors.ts';
import { createPerformer } from '../../src/exec/perform-step.ts';
import type { Outcome } from '../../src/step/runner.ts';
import type { Precondition, Step, WaitFor } from '../../src/step/step.ts';
import { startFakeApi } from './fake-api.ts';
import { fails, fakeRunner, says } from './fake-runner.ts';
import { makeTemporaryDirectory } from './real-process.ts';
import { runStep } from './steps.ts';

function stage(answer?: Parameters<typeof fakeRunner>[0], signal = new AbortController().signal) {
  const stateDir = makeTemporaryDirectory();
  mkdirSync(join(stateDir, 'kubeconfigs'));
  const fake = fakeRunner(answer);
  const processes: string[] = [];
  const kubeconfig = join(stateDir, 'user', 'config');
  const perform = createPerformer({
    runner: fake.runner,
    stateDir,
    kubeconfig,
    signal,
    onProcess: (step, argv0, pid) => processes.push(`${step.id} ${argv0} ${pid}`),
  });
  return { ...fake, perform, stateDir, kubeconfig, processes };
}

const base = { title: 't', clusters: ['a'], needs: [], timeout: 5 };
const FILE = { file: 'kubeconfigs/a.yaml' } as const;

describe('a run step', () => {
  it('is one command, with its input, environment and time limit, and is told of', async () => {
    const { perform, commands, processes, stateDir } = stage();
    const step = runStep('a/x', { argv: ['kind', '--kubeconfig', FILE], stdin: 'text', env: { K: 'v' }, timeout: 7 });
    expect(await perform(step)).toBeUndefined();
    expect(commands).toMatchObject([
      { argv: ['kind', '--kubeconfig', join(stateDir, FILE.file)], stdin: 'text', env: { K: 'v' }, timeout: 7 },
    ]);
    expect(processes).toEqual(['a/x kind 1']);
  });

  it('gives a query its environment too', async () => {
    const { perform, commands } = stage();
    const argv = ['kind', 'get', 'kubeconfig'];
    await perform({ ...base, kind: 'query', id: 'a/q', argv, env: { K: 'v' }, capture: 'q' });
    expect(commands).toMatchObject([{ argv, env: { K: 'v' } }]);
  });

  it('fails with the command and what it said', async () => {
    const { perform } = stage(() => fails('it is\nbroken', 3));
    await expect(perform(runStep('a/x', { argv: ['kind', 'create', 'a b'] }))).rejects.toThrow(
      new FailedError("kind create 'a b': exit code 3\n  it is\n  broken"),
    );
  });

  describe('with a retry', () => {
    const retry = { on: ['connection refused', 'EOF'], every: 0.001, for: 60 };

    it('is tried again for what it is meant for, until it succeeds', async () => {
      let tries = 0;
      const { perform, commands } = stage(() =>
        ++tries < 4 ? fails(`dial: Connection Refused (${tries})`) : says(''),
      );
      await perform(runStep('a/x', { retry, stdin: 'same' }));
      expect(commands.map(({ stdin }) => stdin)).toEqual(['same', 'same', 'same', 'same']);
    });

    it.each<[string, Outcome]>([
      ['something else', fails('forbidden')],
      ['what it said on standard output only', { exitCode: 1, stdout: 'connection refused', stderr: '' }],
      ['a time limit', { ...fails('EOF'), failure: 'timeout' }],
      ['an interrupt', { ...fails('EOF'), failure: 'interrupted' }],
    ])('is not tried again for %s', async (_, outcome) => {
      const { perform, commands } = stage(() => outcome);
      await expect(perform(runStep('a/x', { retry }))).rejects.toThrow(FailedError);
      expect(commands).toHaveLength(1);
    });

    it('gives up at the deadline with the last thing that was said', async () => {
      let tries = 0;
      const { perform } = stage(() => fails(`EOF ${++tries}`));
      const step = runStep('a/x', { retry: { ...retry, for: 0.02 } });
      await expect(perform(step)).rejects.toThrow(/EOF \d+/);
      expect(tries).toBeGreaterThan(1);
    });

    it('stops waiting for its next try when the run is stopped', async () => {
      const stop = new AbortController();
      const { perform, commands } = stage(() => {
        stop.abort();
        return fails('EOF');
      }, stop.signal);
      await expect(perform(runStep('a/x', { retry: { ...retry, every: 60 } }))).rejects.toThrow('aborted');
      expect(commands).toHaveLength(1);
    });
  });

  describe('with a precondition', () => {
    const check = (expected: Precondition['expect'], otherwise: Precondition['otherwise']): Precondition => ({
      argv: ['look', FILE],
      expect: expected,
      otherwise,
      message: 'somebody was faster',
    });
    const attempt = (precondition: Precondition, outcome: Outcome) => {
      const { perform, lines, stateDir } = stage((argv) => (argv.startsWith('look') ? outcome : undefined));
      const result = perform(runStep('a/x', { precondition }));
      return { result, commands: () => lines().map((line) => line.replace(stateDir, '$STATE')) };
    };
    const both = ['look $STATE/kubeconfigs/a.yaml', 'a/x'];

    it.each([
      ['empty', says(' \n')],
      ['failure', fails('no such thing')],
    ] as const)('runs when it holds: %s', async (expected, outcome) => {
      const { result, commands } = attempt(check(expected, 'stop'), outcome);
      expect(await result).toBeUndefined();
      expect(commands()).toEqual(both);
    });

    it.each([
      ['empty', says('c0ffee\n')],
      ['failure', says('')],
    ] as const)('is skipped, or stops, when it does not: %s', async (expected, outcome) => {
      const skipped = attempt(check(expected, 'skip'), outcome);
      expect(await skipped.result).toBe('somebody was faster');
      expect(skipped.commands()).toEqual(both.slice(0, 1));
      const stopped = attempt(check(expected, 'stop'), outcome);
      await expect(stopped.result).rejects.toThrow(new FailedError('somebody was faster'));
      expect(stopped.commands()).toEqual(both.slice(0, 1));
    });

    it.each([
      ['empty', fails('Cannot connect to the Docker daemon')],
      ['empty', { ...says(''), failure: 'timeout' }],
      ['failure', { ...fails(''), failure: 'missing' }],
    ] as const)('fails when it cannot be told: %s %j', async (expected, outcome) => {
      for (const otherwise of ['skip', 'stop'] as const) {
        const { result, commands } = attempt(check(expected, otherwise), outcome);
        await expect(result).rejects.toThrow(/^look .*kubeconfigs\/a\.yaml: /);
        expect(commands()).toHaveLength(1);
      }
    });

    it('is all there is of a check step', async () => {
      const { perform } = stage(() => says('x'));
      const step: Step = { ...base, kind: 'check', id: 'a/c', check: check('empty', 'stop') };
      await expect(perform(step)).rejects.toThrow(new FailedError('somebody was faster'));
      expect(await stage().perform(step)).toBeUndefined();
    });
  });
});

describe('what a query captures', () => {
  it('is trimmed, and is there for arguments, input and files of later steps', async () => {
    const { perform, commands, stateDir } = stage((argv) => (argv === 'ask' ? says('\n secret: 1\n\n') : undefined));
    await perform({ ...base, kind: 'query', id: 'a/q', argv: ['ask'], capture: 'a/answer' });
    await perform(runStep('a/x', { argv: ['use', { ref: 'a/answer' }], stdin: { ref: 'a/answer' } }));
    await perform({ ...base, kind: 'write', id: 'a/w', file: FILE, content: { ref: 'a/answer' }, mode: 0o600 });
    expect(commands[1]).toMatchObject({ argv: ['use', 'secret: 1'], stdin: 'secret: 1' });
    expect(readFileSync(join(stateDir, FILE.file), 'utf8')).toBe('secret: 1\n');
    expect(statSync(join(stateDir, FILE.file)).mode & 0o777).toBe(0o600);
  });

  it('is nothing when the query fails', async () => {
    const { perform } = stage(() => fails('no'));
    await expect(perform({ ...base, kind: 'query', id: 'a/q', argv: ['ask'], capture: 'x' })).rejects.toThrow(
      'ask: exit code 1',
    );
  });
});

describe('a kubeconfig step', () => {
  it('merges the private kubeconfig into the user’s under each name, and takes it out again', async () => {
    const { kubeconfig } = await startFakeApi(() => undefined);
    const { perform, stateDir, kubeconfig: users } = stage();
    writeFileSync(join(stateDir, FILE.file), kubeconfig);
    const step = { ...base, kind: 'kubeconfig', id: 'a/k', source: FILE, cluster: 'a', owner: '0123456789ab' } as const;
    const names = () => parse(readFileSync(users, 'utf8')).contexts?.map(({ name }: { name: string }) => name);
    await perform({ ...step, action: 'merge', contexts: ['a', 'kind-a'] });
    expect(names()).toEqual(['a', 'kind-a']);
    await perform({ ...step, action: 'remove', contexts: ['kind-a'] });
    expect(names()).toEqual(['a']);
  });
});

describe('a wait step', () => {
  const wait = (seconds: number, what: WaitFor = { resource: 'nodes', count: 2 }): Step => ({
    ...{ ...base, timeout: seconds, kind: 'wait', id: 'a/nodes', kubeconfig: FILE, for: what },
  });
  const node = (name: string, status: string) => ({
    metadata: { name },
    status: { conditions: [{ type: 'Ready', status }] },
  });

  async function waiting(step: Step, answer: (path: string) => unknown, signal?: AbortSignal) {
    const { kubeconfig, asked } = await startFakeApi(answer);
    const { perform, stateDir } = stage(undefined, signal);
    writeFileSync(join(stateDir, FILE.file), kubeconfig);
    return { result: perform(step), asked };
  }

  it('ends when the API server says so, though it did not answer at first', async () => {
    let asked = 0;
    const { result } = await waiting(wait(10), () =>
      ++asked === 1 ? new Error('starting') : { items: [node('a', 'True'), node('b', 'True')] },
    );
    expect(await result).toBeUndefined();
    expect(asked).toBe(2);
  });

  it('fails at its deadline with what was seen last', async () => {
    const notReady = await waiting(wait(0.3), () => ({ items: [node('a', 'True'), node('b', 'False')] }));
    await expect(notReady.result).rejects.toThrow('not ready after 0.3 s: 1 of 2 nodes ready, not b');
    const away = await waiting(wait(0.3), () => new Error('no'));
    await expect(away.result).rejects.toThrow(
      'not ready after 0.3 s: the API server does not answer: /api/v1/nodes answered 500',
    );
    const deployment = { resource: 'deployment', namespace: 'n', name: 'd' } as const;
    const absent = await waiting(wait(0.3, deployment), () => undefined);
    await expect(absent.result).rejects.toThrow('not ready after 0.3 s: deployment d does not exist');
    expect(absent.asked[0]).toBe('/apis/apps/v1/namespaces/n/deployments/d');
  });

  it('ends when the run is stopped', async () => {
    const stop = new AbortController();
    const { result } = await waiting(
      wait(60),
      () => {
        stop.abort();
        return { items: [] };
      },
      stop.signal,
    );
    await expect(result).rejects.toThrow('aborted');
  });
});
