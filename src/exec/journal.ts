/** What a run was doing when it died. It explains, and names its children; what is true is only what is observed. */
import { closeSync, constants, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { FailedError } from '../errors.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { isIdentity, type ProcessIdentity } from './process-identity.ts';

const SIZE_LIMIT = 1024 * 1024;
const KEPT_LINES = 200;

export interface Begin {
  readonly run: string;
  readonly verb: string;
  readonly identity: ProcessIdentity;
  /** SHA-256 of the plan. */
  readonly plan: string;
}

export interface Started {
  readonly run: string;
  readonly step: string;
  /** SHA-256 of the step: the same plan over the same world gives the same. */
  readonly input: string;
  /** The program that was started for it; none for a step that `lab` does itself. */
  readonly argv0?: string;
  readonly pid?: number;
  /** Absent when the process was gone before it could be looked at. */
  readonly identity?: ProcessIdentity | undefined;
}

/** Each line is on the disk when its call returns. All throw FailedError when the disk does not take it. */
export interface Journal {
  begin(entry: Begin): void;
  /** Once a process: a step may start several, one after the other. */
  started(entry: Started): void;
  finished(entry: { readonly run: string; readonly step: string; readonly result: string }): void;
  end(entry: { readonly run: string; readonly result: string }): void;
  close(): void;
}

/** A run that did not say its end: it still works, or it died. */
export interface UnfinishedRun extends Begin {
  readonly at: string;
  /** What its steps that did not say their end had started. */
  readonly started: readonly Started[];
}

export interface JournalState {
  readonly unfinished: readonly UnfinishedRun[];
}

/**
 * Opens a journal to append to it, and shortens one that has grown. The caller holds the lock of the lab.
 *
 * @throws FailedError when it cannot be written, or is a link.
 */
export async function openJournal(path: string): Promise<Journal> {
  const text = readText(path);
  // A new line behind a torn one would be lost with it.
  let torn = text !== '' && !text.endsWith('\n');
  if (text.length > SIZE_LIMIT) await writeFileAtomically(path, shorten(text), { mode: 0o600 });
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
  const file = attempt(path, () => openSync(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY, 0o600));

  const log = (type: string, entry: object) =>
    attempt(path, () => {
      const line = `${torn ? '\n' : ''}${JSON.stringify({ type, at: new Date().toISOString(), ...entry })}\n`;
      torn = true;
      for (let rest = Buffer.from(line); rest.length > 0; ) rest = rest.subarray(writeSync(file, rest));
      fsyncSync(file);
      torn = false;
    });

  return {
    begin: (entry) => log('begin', entry),
    started: (entry) => log('started', entry),
    finished: (entry) => log('finished', entry),
    end: (entry) => log('end', entry),
    close: () => closeSync(file),
  };
}

/**
 * Which runs did not say their end. Lines that cannot be read, such as one that a crash cut off, are passed over.
 *
 * @throws FailedError when the file is there and cannot be read.
 */
export function readJournal(path: string): JournalState {
  return { unfinished: findOpen(parse(readText(path))).map(({ begin, started }) => ({ ...begin, started })) };
}

type Timed<T extends string, E> = E & { readonly type: T; readonly at: string };
type Entry =
  | Timed<'begin', Begin>
  | Timed<'started', Started>
  | Timed<'finished', { readonly run: string; readonly step: string }>
  | Timed<'end', { readonly run: string }>;

interface OpenRun {
  readonly begin: Timed<'begin', Begin>;
  started: Timed<'started', Started>[];
}

function findOpen(entries: readonly Entry[]): OpenRun[] {
  const runs = new Map<string, OpenRun>();
  for (const entry of entries) {
    const run = runs.get(entry.run);
    if (entry.type === 'begin') runs.set(entry.run, { begin: entry, started: [] });
    else if (entry.type === 'end') runs.delete(entry.run);
    else if (entry.type === 'started') run?.started.push(entry);
    else if (run) run.started = run.started.filter(({ step }) => step !== entry.step);
  }
  return [...runs.values()];
}

function shorten(text: string): string {
  const entries = parse(text);
  const open = new Set<Entry>(findOpen(entries).flatMap(({ begin, started }) => [begin, ...started]));
  const kept = entries.filter((entry, i) => i >= entries.length - KEPT_LINES || open.has(entry));
  return kept.map((entry) => `${JSON.stringify(entry)}\n`).join('');
}

function parse(text: string): Entry[] {
  return text.split('\n').flatMap((line) => {
    try {
      const value: unknown = JSON.parse(line);
      return isEntry(value) ? [value] : [];
    } catch {
      return [];
    }
  });
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { type, run, step, identity } = value as Record<string, unknown>;
  if (typeof run !== 'string') return false;
  if (type === 'begin') return isIdentity(identity);
  if (type === 'started') return typeof step === 'string' && (identity === undefined || isIdentity(identity));
  return type === 'end' || (type === 'finished' && typeof step === 'string');
}

function readText(path: string): string {
  return attempt(path, () => (existsSync(path) ? readFileSync(path, 'utf8') : ''));
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new FailedError(`cannot use the journal ${path}: ${(error as NodeJS.ErrnoException).code ?? error}`);
  }
}
