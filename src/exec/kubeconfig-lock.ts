import { closeSync, openSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError } from '../errors.ts';

const WAIT_MS = 5000;

/**
 * Runs `action` under the lock that kubectl, kind and k3d take: `<file>.lock` exists. Ours goes even if the process exits
 * in between; anybody else's is left alone, however old.
 *
 * @throws FailedError with `hint` when the lock is not free within five seconds.
 */
export async function withKubeconfigLock<T>(file: string, hint: string, action: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  const deadline = performance.now() + WAIT_MS;
  for (let pause = 5; !create(lock); pause = Math.min(pause * 2, 50)) {
    if (performance.now() > deadline) {
      const advice = `${hint}if no kubectl, kind or lab is running, remove ${lock}`;
      throw new FailedError(`${file} is locked: ${lock} has been there for ${WAIT_MS / 1000} s`, advice);
    }
    // Those who wait at the same time must not try at the same time.
    await sleep(pause * (0.5 + Math.random()));
  }
  const unlock = () => rmSync(lock, { force: true });
  process.once('exit', unlock);
  try {
    return await action();
  } finally {
    process.off('exit', unlock);
    unlock();
  }
}

function create(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new FailedError(`cannot create ${lock}: ${code}`);
  }
}
