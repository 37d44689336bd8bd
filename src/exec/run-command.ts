import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { redact } from '../step/redact.ts';
import type { Command, Outcome, Runner } from '../step/runner.ts';
import { quoteArgv } from '../step/shell.ts';
import { collectEnd, collectWhole } from './command-output.ts';
import { signalGroup } from './process-group.ts';

const MIB = 1024 * 1024;
const STDOUT_LIMIT = 64 * MIB;
const STDERR_KEPT = 64 * 1024;
const GRACE_MS = 10_000;
const SHOWN_LINES = 20;

/** A `Runner` of real processes, each in a process group of its own. */
export interface ProcessRunner extends Runner {
  /** SIGINT to every group; from now on no command starts. */
  interrupt(): void;
  /** SIGKILL to every group; from now on no command starts. */
  kill(): void;
  /** Resolves when no command runs. */
  idle(): Promise<void>;
}

/** One running command, and why it was ended if it was. */
interface Child {
  readonly pid: number;
  failure?: NonNullable<Outcome['failure']>;
}

/** Makes the runner that starts real processes. Its `run` never rejects. */
export function createRunner(): ProcessRunner {
  const running = new Map<Child, Promise<unknown>>();
  let stopped = false;

  const signalAll = (signal: NodeJS.Signals) => {
    stopped = true;
    for (const child of running.keys()) {
      child.failure ??= 'interrupted';
      signalGroup(child.pid, signal);
    }
  };

  return {
    async run(command) {
      if (isNowhere(command.argv[0] ?? '', command.env?.PATH ?? process.env.PATH)) return failed('missing', '');
      // A sixth of a start's time goes into loading it, and a dry run without an engine has no use for it.
      const { execa } = await import('execa');
      if (stopped) return failed('interrupted', '');
      try {
        return await runOne(execa, command, running);
      } catch (error) {
        return failed('signal', error instanceof Error ? error.message : String(error));
      }
    },
    interrupt: () => signalAll('SIGINT'),
    kill: () => signalAll('SIGKILL'),
    async idle() {
      while (running.size > 0) await Promise.allSettled(running.values());
    },
  };
}

/** A failed command as a person wants to see it: what was run, how it ended, and the end of what it said, no secrets. */
export function describeFailure(command: Command, outcome: Outcome): string {
  const text = withoutUsage(outcome.stderr) || outcome.stdout.slice(-STDERR_KEPT).trim();
  // Before it is cut into lines: a key has many.
  const said = redact(text).split('\n').slice(-SHOWN_LINES);
  const lines = said.filter((line) => line.trim() !== '').map((line) => `  ${line}`);
  return [`${redact(quoteArgv(command.argv))}: ${describeEnd(command, outcome)}`, ...lines].join('\n');
}

/** Many programs print all of their flags behind an error. */
export const withoutUsage = (stderr: string): string => (stderr.split(/^Usage:$/m)[0] ?? '').trim();

function describeEnd(command: Command, outcome: Outcome): string {
  if (outcome.failure === 'missing') return 'no such program';
  if (outcome.failure === 'timeout') return `not done after ${command.timeout} s (--timeout gives more)`;
  if (outcome.failure === 'interrupted') return 'interrupted';
  return outcome.exitCode === undefined ? 'ended early' : `exit code ${outcome.exitCode}`;
}

/** Whether no folder of the PATH holds a program of this name: no process has to be started to see that. */
function isNowhere(program: string, path: string | undefined): boolean {
  if (path === undefined || program.includes('/')) return false;
  return !path.split(delimiter).some((folder) => existsSync(join(folder, program)));
}

async function runOne(
  execa: typeof import('execa').execa,
  command: Command,
  running: Map<Child, Promise<unknown>>,
): Promise<Outcome> {
  const [program = '', ...args] = command.argv;
  const subprocess = execa(program, args, {
    ...(command.stdin === undefined ? { stdin: 'ignore' } : { input: command.stdin }),
    env: { ...command.env },
    detached: true,
    reject: false,
    // execa's own buffers fail a flood; ours keep its end.
    buffer: false,
  });
  const pid = subprocess.pid;
  if (pid === undefined) {
    const { code, originalMessage } = await subprocess;
    return failed(code === 'ENOENT' || code === 'EACCES' ? 'missing' : 'signal', originalMessage ?? '');
  }

  const child: Child = { pid };
  const timers: NodeJS.Timeout[] = [];
  let ending = false;
  const end = (failure: 'timeout' | 'signal') => {
    if (ending) return;
    ending = true;
    child.failure ??= failure;
    signalGroup(pid, 'SIGTERM');
    timers.push(setTimeout(() => signalGroup(pid, 'SIGKILL'), GRACE_MS));
  };
  if (command.timeout !== undefined) timers.push(setTimeout(() => end('timeout'), command.timeout * 1000));

  const stdout = collectWhole(STDOUT_LIMIT);
  const stderr = collectEnd(STDERR_KEPT);
  let note = '';
  subprocess.stdout?.on('data', (chunk: Buffer) => {
    if (stdout.add(chunk)) return;
    note = `\nmore than ${STDOUT_LIMIT / MIB} MiB of output`;
    end('signal');
  });
  subprocess.stderr?.on('data', (chunk: Buffer) => stderr.add(chunk));

  running.set(child, subprocess);
  try {
    command.onStart?.(pid);
    const { exitCode } = await subprocess;
    const failure = child.failure ?? (exitCode === undefined ? 'signal' : undefined);
    return {
      exitCode,
      stdout: stdout.text(),
      stderr: (stderr.text() + note).trim(),
      ...(failure && { failure }),
    };
  } finally {
    for (const timer of timers) clearTimeout(timer);
    // What was ended must leave nobody behind, nor one whose start could not be noted.
    if (child.failure !== undefined || subprocess.exitCode === null) signalGroup(pid, 'SIGKILL');
    running.delete(child);
  }
}

function failed(failure: NonNullable<Outcome['failure']>, stderr: string): Outcome {
  return { exitCode: undefined, stdout: '', stderr, failure };
}
