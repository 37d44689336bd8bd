import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { renderScript } from '../../src/report/plan-script.ts';
import type { Step } from '../../src/step/step.ts';
import { planWith, runStep } from '../exec/steps.ts';

const TOOLS = ['docker', 'kind', 'kubectl'];

/**
 * Logs its words and its input, and does what the variable of its name says. It is itself a script, so only what
 * the test means is on the PATH beside it.
 */
const TOOL = `#!/bin/bash
name=\${0##*/}
{ printf '%s\\0' "$name" "$@"; if [ ! -t 0 ]; then printf '<%s' "$(cat)"; fi; printf '\\1'; } >>"$LOG"
variable=\${name}_does
eval "\${!variable:-}"
`;

/** A place where scripts run: a home, and stubs for the programs. */
function makeStage() {
  const dir = mkdtempSync(join(tmpdir(), 'lab-script-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  mkdirSync(join(dir, 'bin'));
  for (const tool of TOOLS) {
    writeFileSync(join(dir, 'bin', tool), TOOL);
    chmodSync(join(dir, 'bin', tool), 0o755);
  }
  const log = join(dir, 'log');
  const run = (
    steps: readonly Step[],
    does: Readonly<Record<string, string>> = {},
    { folder = '/labs', set = {} }: { readonly folder?: string; readonly set?: NodeJS.ProcessEnv } = {},
  ) => {
    rmSync(log, { force: true });
    const script = join(dir, 'plan.sh');
    writeFileSync(script, renderScript(planWith(steps), folder));
    const env = {
      ...{ PATH: `${join(dir, 'bin')}:${process.env.PATH}`, HOME: dir, LOG: log },
      ...Object.fromEntries(Object.entries(does).map(([tool, code]) => [`${tool}_does`, code])),
      ...set,
    };
    const { status, stderr } = spawnSync('bash', [script], {
      env,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const calls = existsSync(log) ? readFileSync(log, 'utf8').split('\u0001').slice(0, -1) : [];
    return { status, stderr, calls: calls.map((call) => call.split('\0')) };
  };
  return { dir, run, state: join(dir, '.local/state/lab/labs/0123456789ab') };
}

const step = (argv: readonly string[], more: Parameters<typeof runStep>[1] = {}) =>
  runStep(`a/${argv.join('')}`, { argv, ...more });
const base = { title: 't', clusters: ['a'], needs: [], timeout: 30 };
const FILE = { file: 'kubeconfigs/a.yaml' } as const;

describe('a plan as a script', () => {
  it('runs every command with exactly its words and its input', () => {
    const { run } = makeStage();
    const nasty = ['', ' ', '$HOME', '`x`', "it's", '"q"', 'a\nb', '*', '\\', '!x', '#'];
    const stdin = 'line $HOME `x`\nEOF\n  EOF_\nEOF_\n\'"\\\n';
    const { status, calls } = run([
      step(['kind', ...nasty], { stdin }),
      step(['docker', 'after'], { env: { docker_does: 'exit 0 #$x' } }),
    ]);
    expect(status).toBe(0);
    expect(calls).toEqual([
      ['kind', ...nasty, `<${stdin.trimEnd()}`],
      ['docker', 'after', '<'],
    ]);
  });

  it('finds the files of the folder where it is, or where somebody moved it', () => {
    const { run } = makeStage();
    const folder = "/my labs/it's $HOME";
    const files = [`${folder}/routes/x y.yaml`, `${folder}-b/x`, folder];
    const query = { ...base, kind: 'query', id: 'a/q', capture: 'a/q', argv: ['kubectl', files[0] ?? ''] } as const;
    const steps = [step(['kind', ...files]), query];
    expect(run(steps, {}, { folder }).calls).toEqual([
      ['kind', ...files, '<'],
      ['kubectl', files[0], '<'],
    ]);
    expect(run(steps, {}, { folder, set: { LAB_DIR: '/else where' } }).calls).toEqual([
      ['kind', '/else where/routes/x y.yaml', ...files.slice(1), '<'],
      ['kubectl', '/else where/routes/x y.yaml', '<'],
    ]);
  });

  it('runs any input as it is', () => {
    const { run } = makeStage();
    const lines = fc.array(fc.oneof(fc.constantFrom('EOF', 'EOF_', '', 'a: |'), fc.string({ maxLength: 8 })), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(lines, (list) => {
        const stdin = Buffer.from(list.join('\n').replaceAll('\0', '').replaceAll('\u0001', '')).toString();
        const [call] = run([step(['kind'], { stdin })]).calls;
        expect(call?.at(-1)).toBe(`<${stdin.replace(/\n+$/, '')}`);
      }),
      { numRuns: 25 },
    );
  });

  it('gives a query several inputs, each on lines of its own', () => {
    const { run } = makeStage();
    const { calls } = run(
      [
        { ...base, kind: 'query', id: 'q', argv: ['docker'], capture: 'a/q' },
        { ...base, kind: 'query', id: 'r', argv: ['kind'], stdin: ["it's {", { ref: 'a/q' }], capture: 'r' },
      ],
      { docker: 'echo "two words"' },
    );
    expect(calls.at(-1)).toEqual(['kind', "<it's {\ntwo words"]);
  });

  it('stops at the first command that fails', () => {
    const { run } = makeStage();
    const { status, calls } = run([step(['docker', 'one']), step(['kind', 'two'])], { docker: 'exit 3' });
    expect(status).toBe(3);
    expect(calls).toHaveLength(1);
  });

  it('tries again with the same input, and gives up at the deadline', () => {
    const { run } = makeStage();
    const retried = step(['kubectl', 'apply'], { stdin: 'x', retry: { on: ['never looked at'], every: 0.01, for: 5 } });
    const again = run([retried], { kubectl: '[ "$(tr -cd "\\\\001" <"$LOG" | wc -c)" -ge 3 ]' });
    expect(again.status).toBe(0);
    expect(again.calls).toEqual([...Array(3)].map(() => ['kubectl', 'apply', '<x']));
    const never = step(['kubectl', 'apply'], { retry: { on: [], every: 0.01, for: 0 } });
    const given = run([never, step(['kind'])], { kubectl: 'exit 1' });
    expect(given.status).toBe(1);
    expect(given.calls).toEqual([['kubectl', 'apply', '<']]);
  });

  it.each([
    ['empty', 'echo', 'echo x'],
    ['failure', 'exit 1', 'exit 0'],
  ] as const)('looks before it leaps: %s', (expected, holds, fails) => {
    const { run } = makeStage();
    const guarded = (otherwise: 'skip' | 'stop') => [
      step(['kind', 'create'], {
        precondition: { argv: ['docker', 'look'], expect: expected, otherwise, message: "it's there" },
      }),
      step(['kubectl', 'next']),
    ];
    const commands = (...args: Parameters<typeof run>) => {
      const { status, stderr, calls } = run(...args);
      return { status, stderr, calls: calls.map((call) => call.slice(0, 2).join(' ')) };
    };
    for (const otherwise of ['skip', 'stop'] as const) {
      expect(commands(guarded(otherwise), { docker: holds })).toMatchObject({
        status: 0,
        calls: ['docker look', 'kind create', 'kubectl next'],
      });
    }
    expect(commands(guarded('skip'), { docker: fails })).toMatchObject({
      status: 0,
      calls: ['docker look', 'kubectl next'],
    });
    expect(commands(guarded('stop'), { docker: fails })).toEqual({
      status: 1,
      stderr: "it's there\n",
      calls: ['docker look'],
    });
    const check: Step = {
      ...base,
      kind: 'check',
      id: 'c',
      check: { argv: ['docker', 'look'], expect: expected, otherwise: 'stop', message: 'no' },
    };
    expect(commands([check], { docker: holds }).status).toBe(0);
    expect(commands([check], { docker: fails })).toMatchObject({ status: 1, stderr: 'no\n' });
  });

  it('keeps what a query says, in files that nobody else may read', () => {
    const { run, state } = makeStage();
    const { status, calls } = run(
      [
        { ...base, kind: 'query', id: 'q', argv: ['kind', 'get', 'kubeconfig'], capture: 'a-b/kubeconfig' },
        { ...base, kind: 'write', id: 'w', file: FILE, content: { ref: 'a-b/kubeconfig' }, mode: 0o600 },
        runStep('r', { argv: ['docker', FILE], stdin: { ref: 'a-b/kubeconfig' } }),
      ],
      { kind: 'printf "a: %s\\n\\n" "\\$x"' },
    );
    expect(status).toBe(0);
    expect(readFileSync(join(state, FILE.file), 'utf8')).toBe('a: $x\n');
    expect(statSync(join(state, FILE.file)).mode & 0o777).toBe(0o600);
    expect(calls.at(-1)).toEqual(['docker', join(state, FILE.file), '<a: $x']);
  });

  it('waits with kubectl', () => {
    const { run, state } = makeStage();
    const wait = { ...base, kind: 'wait', kubeconfig: FILE } as const;
    const { calls } = run([
      { ...wait, id: 'n', for: { resource: 'nodes', count: 2 } },
      { ...wait, id: 'd', for: { resource: 'deployment', namespace: 'n', name: 'd' } },
    ]);
    expect(calls.map((call) => call.slice(0, -1))).toEqual([
      [
        'kubectl',
        '--kubeconfig',
        join(state, FILE.file),
        'wait',
        '--for=condition=Ready',
        'nodes',
        '--all',
        '--timeout=30s',
      ],
      [
        ...['kubectl', '--kubeconfig', join(state, FILE.file), '--namespace', 'n'],
        ...['rollout', 'status', 'deployment/d', '--timeout=30s'],
      ],
    ]);
  });

  it('takes contexts away, also those that are gone already', () => {
    const { run } = makeStage();
    const remove: Step = {
      ...{ ...base, kind: 'kubeconfig', action: 'remove', id: 'k', source: FILE, cluster: 'a', owner: 'u' },
      contexts: ['a', 'kind-a'],
    };
    const { status, calls } = run([remove], { kubectl: 'exit 1' });
    expect(status).toBe(0);
    const changing = calls.map((call) => call.slice(0, -1).join(' ')).filter((call) => !call.includes(' view '));
    expect(changing).toEqual(['kubectl config delete-context a', 'kubectl config delete-context kind-a']);
  });

  it('says what each step is for, and is a script by itself', () => {
    const script = renderScript(
      planWith([step(['kind'], { title: 'make it', why: 'Because.' })], { summary: 'Plan: one.' }),
      '/labs',
    );
    expect(script).not.toContain('LAB_DIR');
    expect(script).toMatch(/^#!\/usr\/bin\/env bash\n# lab create, lab practical\. Plan: one\.\nset -euo pipefail\n/);
    expect(script).toContain('\n# a: make it\n# Because.\nkind\n');
    execFileSync('bash', ['-n'], { input: script });
  });
});

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;

describe.runIf(hasKubectl)('merging contexts in a script, with the real kubectl', () => {
  const privateText = (server: string) => `apiVersion: v1
kind: Config
clusters: [{name: kind-a, cluster: {server: "${server}"}}]
users: [{name: kind-a, user: {token: t}}]
contexts: [{name: kind-a, context: {cluster: kind-a, user: kind-a}}]
current-context: kind-a
`;

  it('adds each name, keeps everything else, and leaves the current context', () => {
    const { dir, run, state } = makeStage();
    rmSync(join(dir, 'bin', 'kubectl'));
    mkdirSync(join(state, 'kubeconfigs'), { recursive: true });
    writeFileSync(join(state, FILE.file), privateText('https://127.0.0.1:6443'));
    mkdirSync(join(dir, '.kube'));
    writeFileSync(join(dir, '.kube/config'), privateText('https://mine').replaceAll('kind-a', 'mine'));
    const merge: Step = {
      ...{ ...base, kind: 'kubeconfig', action: 'merge', id: 'k', source: FILE, cluster: 'a', owner: 'u' },
      contexts: ['a', 'kind-a'],
    };
    const { status, stderr } = run([merge]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const ask = (...words: string[]) =>
      execFileSync('kubectl', ['--kubeconfig', join(dir, '.kube/config'), 'config', ...words], {
        encoding: 'utf8',
      }).trim();
    expect(ask('get-contexts', '-o', 'name').split('\n').toSorted()).toEqual(['a', 'kind-a', 'mine']);
    expect(ask('current-context')).toBe('mine');
    expect(ask('view', '--context', 'a', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}')).toBe(
      'https://127.0.0.1:6443',
    );
    expect(readFileSync(join(state, FILE.file), 'utf8')).toBe(privateText('https://127.0.0.1:6443'));
  });
});
