#!/usr/bin/env node
// The only exit. What needs no code of ours is answered before any is loaded.
import { readFileSync } from 'node:fs';

const argv = process.argv.slice(2);
const baked = { '--version': 'version.txt', '--help': 'help.txt', '-h': 'help.txt' }[
  argv.length === 1 ? `${argv[0]}` : ''
];
// A reader that closed the pipe (`lab info | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
// Nobody reads the progress any more: the work goes on.
process.stderr.on('error', () => {});
if (baked) process.stdout.write(readFileSync(new URL(baked, import.meta.url)));
else {
  const { main } = await import('./cli/main.ts');
  try {
    process.exitCode = await main(argv, {
      stdout: process.stdout,
      stderr: process.stderr,
      env: process.env,
      cwd: process.cwd(),
    });
  } catch (error) {
    const { describeError } = await import('./cli/print-error.ts');
    const { text, exitCode } = describeError(error);
    process.stderr.write(`${text}\n`);
    process.exitCode = exitCode;
  }
}
