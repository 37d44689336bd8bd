import { randomUUID } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError, LockedError } from '../errors.ts';
import { acquireLock } from './lock.ts';
import { identifySelf, isAlive, isIdentity, type ProcessIdentity } from './process-identity.ts';

const WAIT_MS = 5000;
/** For a run of ours that lives: on a busy disk even a short write takes its time. */
const WAIT_FOR_OURS_MS = 60_000;

/**
 * Runs `action` under the lock that kubectl, kind and k3d take: `<file>.lock` exists. Ours goes even if the process exits
 * in between, and is taken from a run of ours that was killed; anybody else's is left alone, however old.
 *
 * @throws FailedError with `hint` when the lock is not free within five seconds, or within a minute where a run of ours
 * has it
 */
export async function withKubeconfigLock<T>(file: string, hint: string, action: () => Promise<T>): Promise<T> {
  const lock = `${file}.lock`;
  let since = performance.now();
  let seen = '';
  for (let pause = 5; !create(lock); pause = Math.min(pause * 2, 50)) {
    // Many runs of ours may take their turns meanwhile: then it is not one that stays.
    const holder = read(lock);
    if (holder !== seen) since = performance.now();
    seen = holder;
    const run = runOf(holder);
    const limit = run ? WAIT_FOR_OURS_MS : WAIT_MS;
    if (performance.now() - since > limit) {
      const advice = `${hint}if no kubectl, kind or lab is running, remove ${lock}`;
      throw new FailedError(`${file} is locked: ${lock} has been there for ${limit / 1000} s`, advice);
    }
    if (run && !isAlive(run)) await removeDeadRuns(lock);
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

/** That it exists is all that others look at; what is in it tells us whose it was. */
function create(lock: string): boolean {
  try {
    writeFileSync(lock, JSON.stringify({ lab: identifySelf(), id: randomUUID() }), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new FailedError(`cannot create ${lock}: ${code}`);
  }
}

/** What is in it: nothing in those of others, which cannot even be read. */
function read(lock: string): string {
  try {
    return readFileSync(lock, 'utf8');
  } catch {
    return '';
  }
}

/** The run of ours that has it; undefined for anybody else. */
function runOf(holder: string): ProcessIdentity | undefined {
  try {
    const { lab } = JSON.parse(holder);
    return isIdentity(lab) ? lab : undefined;
  } catch {
    return undefined;
  }
}

/** One at a time: whoever came later would remove the lock that the first one made in its place. */
async function removeDeadRuns(lock: string): Promise<void> {
  try {
    const right = await acquireLock(`${lock}.takeover`, { name: lock, verb: 'merge' });
    const run = runOf(read(lock));
    if (run && !isAlive(run)) rmSync(lock, { force: true });
    right.release();
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
  }
}
