/** A second real process that runs code of this project, for what one process cannot show. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { onTestFinished } from 'vitest';

/** A directory that goes when the test ends. */
export function makeTemporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'lab-exec-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Makes a program of TypeScript whose imports are relative to this folder. */
export function bundle(dir: string, contents: string): string {
  const outfile = join(dir, 'program.cjs');
  buildSync({
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
  });
  return outfile;
}

/** Starts a bundled program; it is killed when the test ends. */
export function start(program: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** The first thing that a program says. */
export async function firstWords(child: ChildProcess): Promise<string> {
  const [chunk] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  return String(chunk).trim();
}

export async function exited(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** Waits until something holds, for at most five seconds. */
export async function eventually(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 250 && !holds(); tries++) await sleep(20);
  if (!holds()) throw new Error('it did not happen within five seconds');
}
