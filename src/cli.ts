#!/usr/bin/env node
// The only exit. What needs no code of ours is answered before any is loaded.
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { loadMain } from './cli/load-main.ts';

const argv = process.argv.slice(2);
const baked = { '--version': 'version.txt', '--help': 'help.txt', '-h': 'help.txt' }[
  argv.length === 1 ? `${argv[0]}` : ''
];
if (baked) printFile(join(__dirname, baked));
else run();

/** Prints a short file. Streams take a fifth of the time of a bare start, so that they only come where a write fails. */
function printFile(file: string): void {
  const text = readFileSync(file);
  try {
    writeSync(1, text);
  } catch {
    stdout().write(text);
  }
}

async function run(): Promise<void> {
  // Nobody reads the progress any more: the work goes on.
  process.stderr.on('error', () => {});
  const { env, stderr } = process;
  process.exitCode = await loadMain().main(argv, { stdout: stdout(), stderr, env, cwd: process.cwd() });
}

/** Standard output, whose reader may close the pipe (`lab info | head -1`): that is no failure. */
function stdout(): NodeJS.WriteStream {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  return process.stdout;
}
