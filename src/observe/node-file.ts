import { type Runner, succeeded } from '../step/runner.ts';
import { type Container, copyFromArgv } from '../tools/docker.ts';
import { firstFileOfTar } from './tar.ts';

/** A file of a container, running or not; nothing when Docker says that there is none, else the problem. */
export async function readFileOf(
  container: Container,
  path: string,
  runner: Runner,
): Promise<{ readonly text?: string; readonly problem?: string }> {
  const outcome = await runner.run({ argv: copyFromArgv(container.name, path), timeout: 20 });
  const text = succeeded(outcome) ? firstFileOfTar(outcome.stdout) : undefined;
  if (text !== undefined) return { text };
  if (/could not find the file|no such (file|container)/i.test(outcome.stderr)) return {};
  return {
    problem: `${path} on ${container.name} could not be read: ${outcome.stderr.trim() || outcome.failure || 'no file in the answer'}`,
  };
}
