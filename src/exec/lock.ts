/**
 * A lock file that frees itself when its holder dies.
 *
 * Taking: a complete file is linked to the lock's path, which only one process can do.
 * Taking over from a dead holder: the right to replace exactly that dead file is a lock itself, named after the file's
 * content, which never comes again. Under it the file is compared once more, and the right's own file is renamed over it.
 * Nobody else can change the path in between: the dead holder cannot release, a newcomer cannot link, and a second taker
 * has not got the right. A taker that dies on the way leaves a dead lock, and the same rule applies to that one.
 */
import { createHash, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { FailedError, LockedError } from '../errors.ts';
import { identifySelf, isAlive, isIdentity, type ProcessIdentity, readHost } from './process-identity.ts';

const POLL_MS = 200;
const GARBAGE_AFTER_MS = 5000;

export interface LockOptions {
  /** What is locked, for a person: `lab practical`. */
  readonly name: string;
  readonly verb: string;
  /** Seconds to wait for another run; none by default. */
  readonly wait?: number;
  /** Told once, with the holder, before the wait. */
  readonly onWait?: (message: string) => void;
  /** Told when the holder was dead, so that the lock is ours at once. */
  readonly onTakeOver?: (message: string) => void;
}

export interface Lock {
  /** Gives the lock back; harmless when it is not ours any more. */
  release(): void;
}

interface Holder {
  readonly identity: ProcessIdentity;
  readonly verb: string;
  readonly since: string;
}

/** What stands in the way; without a holder when the file cannot be read. */
interface Obstacle {
  readonly holder?: Holder;
}

/**
 * Takes the lock at `path`, at once from a holder that is dead.
 *
 * @throws LockedError when a live run holds it, after `wait` seconds; FailedError when the file cannot be written.
 */
export async function acquireLock(path: string, options: LockOptions): Promise<Lock> {
  const holder = { identity: identifySelf(), verb: options.verb, since: new Date().toISOString() };
  const content = `${JSON.stringify({ ...holder, id: randomUUID() })}\n`;
  const deadline = performance.now() + (options.wait ?? 0) * 1000;
  for (let told = false; ; told = true) {
    const taken = (dead: Holder | undefined) =>
      options.onTakeOver?.(`took over the lock of ${options.name} from a run that died: ${describeHolder(dead)}`);
    const obstacle = take(path, content, taken);
    if (obstacle === undefined) return { release: () => removeOwn(path, content) };
    const message = `another run holds the lock of ${options.name}: ${describeHolder(obstacle.holder)}`;
    if (performance.now() >= deadline)
      throw new LockedError(message, `wait for it, or use --wait=5m (lock file: ${path})`);
    if (!told) options.onWait?.(message);
    await sleep(POLL_MS);
  }
}

type Taken = (dead: Holder | undefined) => void;

function take(path: string, content: string, taken: Taken): Obstacle | undefined {
  const temporary = `${path}.${randomUUID()}`;
  try {
    writeFileSync(temporary, content, { flag: 'wx', mode: 0o600, flush: true });
    return place(temporary, path, content, taken);
  } catch (error) {
    throw new FailedError(`cannot lock ${path}: ${codeOf(error)}`);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Puts our complete file at `path`, or says what stands in the way. */
function place(temporary: string, path: string, content: string, taken: Taken): Obstacle | undefined {
  for (;;) {
    if (link(temporary, path)) return undefined;
    const found = read(path);
    if (found === undefined) continue;
    const holder = parseHolder(found.text);
    if (holder ? isAlive(holder.identity) : found.age < GARBAGE_AFTER_MS) return holder ? { holder } : {};

    const right = `${path}.${createHash('sha256').update(found.text).digest('hex').slice(0, 16)}`;
    const obstacle = place(temporary, right, content, () => {});
    if (obstacle !== undefined) return obstacle;
    if (read(path)?.text === found.text) {
      renameSync(right, path);
      taken(holder);
      return undefined;
    }
    removeOwn(right, content);
  }
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function read(path: string): { readonly text: string; readonly age: number } | undefined {
  try {
    return { text: readFileSync(path, 'utf8'), age: Date.now() - statSync(path).mtimeMs };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function removeOwn(path: string, content: string): void {
  if (read(path)?.text === content) rmSync(path, { force: true });
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { identity, verb, since } = JSON.parse(text);
    return isIdentity(identity) && typeof verb === 'string' && typeof since === 'string'
      ? { identity, verb, since }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Who works, or did: `pid 812, lab create, since 10:31:07`. */
export function describeHolder(holder: Holder | undefined): string {
  if (holder === undefined) return 'its file cannot be read';
  const { identity, verb, since } = holder;
  const start = new Date(since);
  const day = start.toDateString() === new Date().toDateString() ? '' : `${since.slice(0, 10)} `;
  const where = identity.host === readHost() ? '' : ` on ${identity.host}`;
  return `pid ${identity.pid}${where}, lab ${verb}, since ${day}${start.toTimeString().slice(0, 8)}`;
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
