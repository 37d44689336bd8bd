import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { EnvironmentError } from '../errors.ts';

/** A process that stays the same one when its number is used again, or after the machine restarts. JSON-safe. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it started, in the operating system's own words; only compared for equality. */
  readonly startedAt: string;
  readonly bootId: string;
  readonly host: string;
}

interface Look {
  readonly state: string;
  readonly startedAt: string;
}

/** Who runs under `pid` on this machine now; nothing for a zombie or a free number. */
export function identify(pid: number): ProcessIdentity | undefined {
  const look = process.platform === 'linux' ? lookInProc(pid) : lookWithPs(pid);
  if (look === undefined || /^[ZX]/.test(look.state)) return undefined;
  return { pid, startedAt: look.startedAt, bootId: readBootId(), host: readHost() };
}

/**
 * Who this process is.
 *
 * @throws EnvironmentError when the system does not tell, because a lock could then never be freed.
 */
export function identifySelf(): ProcessIdentity {
  const self = identify(process.pid);
  if (self === undefined) throw new EnvironmentError('the system does not say when this process started', 'install ps');
  return self;
}

/** True when exactly this process runs on this machine. */
export function runsHere(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now?.startedAt === identity.startedAt && now.bootId === identity.bootId;
}

/** False when the process is known to be gone. One of another machine (a shared home) cannot be seen, so it counts as alive. */
export function isAlive(identity: ProcessIdentity): boolean {
  // A machine that was given another name since is still this one while it has not been started again.
  const elsewhere = identity.host !== readHost() && identity.bootId !== readBootId();
  return elsewhere || runsHere(identity);
}

/** True for data that a state file holds as an identity. */
export function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, startedAt, bootId, host } = value as Record<string, unknown>;
  return Number.isSafeInteger(pid) && Number(pid) > 0 && [startedAt, bootId, host].every((v) => typeof v === 'string');
}

function lookInProc(pid: number): Look | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name, which may hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

function lookWithPs(pid: number): Look | undefined {
  // One -o a column: everything behind the first `=` would be a heading.
  const [state, ...start] = ask('ps', ['-o', 'stat=', '-o', 'lstart=', '-p', String(pid)]).split(/\s+/);
  return state ? { state, startedAt: start.join(' ') } : undefined;
}

let knownBootId: string | undefined;

function readBootId(): string {
  knownBootId ??= process.platform === 'linux' ? readLinuxBootId() : ask('sysctl', ['-n', 'kern.bootsessionuuid']);
  return knownBootId;
}

function readLinuxBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Some sandboxes hide it; the start time alone then has to tell processes apart.
    return '';
  }
}

/** The machine's name, without its domain. */
export function readHost(): string {
  // macOS changes what follows the first dot with the network it is in.
  return hostname().split('.')[0] ?? '';
}

function ask(program: string, args: readonly string[]): string {
  try {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    return execFileSync(program, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
}
