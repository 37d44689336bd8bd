/** Ends the engine of this machine as a crash does, and brings it back as it was: only for a test that was asked to. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { until } from './engine.ts';

const answers = (): boolean => {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
};

/** How the one dockerd of this machine was started. @throws when there is none, or another one beside it */
export function findEngine() {
  const lines = execFileSync('ps', ['-eo', 'pid=,comm='], { encoding: 'utf8' }).split('\n');
  const pids = lines.flatMap((line) => /^\s*(\d+)\s+dockerd$/.exec(line)?.[1] ?? []);
  const [pid] = pids;
  if (pid === undefined || pids.length > 1) throw new Error(`expected one dockerd, found ${pids.length}`);
  const read = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0').slice(0, -1);
  const [, ...args] = read('cmdline');
  const env = Object.fromEntries(
    read('environ').map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
  const link = (name: string) => readlinkSync(`/proc/${pid}/${name}`);
  return { pid: Number(pid), program: link('exe'), args, env, cwd: link('cwd'), log: link('fd/1') };
}

type Engine = ReturnType<typeof findEngine>;

export async function killEngine({ pid }: Engine): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until('the engine is gone', 30, () => !answers());
}

/** Waits for whoever watches over it, or else starts it with the same words, and waits until it answers. */
export async function reviveEngine({ program, args, env, cwd, log }: Engine): Promise<void> {
  const start = () => {
    const isFile = statSync(log, { throwIfNoEntry: false })?.isFile() ?? false;
    const output = isFile ? openSync(log, 'a') : ('ignore' as const);
    const engine = spawn(program, args, { env, cwd, detached: true, stdio: ['ignore', output, output] });
    engine.unref();
    if (typeof output === 'number') closeSync(output);
    return engine;
  };
  // systemd marks what it started so, and starts it again.
  let started = env.INVOCATION_ID === undefined ? start() : undefined;
  await until('the engine is back', 120, () => {
    // It does not start while its pid file names a process, be it one that is dead and that nobody has reaped yet.
    if (started && started.exitCode !== null) started = start();
    return answers();
  });
}
