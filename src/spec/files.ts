import { type Dirent, lstatSync, opendirSync, realpathSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Problem } from '../errors.ts';
import { describeError } from './read-bounded.ts';
import { printable } from './show.ts';

const MAX_ENTRIES = 20_000;
const LAB_FILES = ['lab.yaml', 'lab.yml'];
const CLUSTER_FILES = ['cluster.yaml', 'cluster.yml', 'sma.yaml', 'sma.yml'];

/** A file that is to be read as a spec. */
export interface SpecFile {
  readonly path: string;
  readonly shown: string;
  readonly role: 'lab' | 'cluster';
}

export interface FoundFiles {
  readonly files: readonly SpecFile[];
  readonly problems: readonly Problem[];
}

interface Folder {
  readonly path: string;
  /** As the user typed it. */
  readonly shown: string;
  readonly real: string;
}

/** A spec file and what tells it from others, or why it cannot be one. */
type Candidate = { readonly file: SpecFile; readonly id: string } | { readonly problem: Problem };

/** The spec files of a lab's folder, in the order of their names. */
export function findSpecFiles(path: string, shown: string): FoundFiles {
  const refuse = (message: string, hint?: string): FoundFiles => ({
    files: [],
    problems: [{ at: printable(shown), message, ...(hint && { hint }) }],
  });
  try {
    if (!statSync(path).isDirectory()) return refuse('not a directory', 'a lab is a folder of specs');
    const entries = listEntries(path);
    if (entries.length > MAX_ENTRIES) return refuse(`more than ${MAX_ENTRIES} entries: not the folder of a lab`);
    const folder = { path, shown, real: realpathSync.native(path) };
    const candidates = entries.flatMap((entry) => findInEntry(folder, entry));
    return {
      files: dropAliases(candidates),
      problems: candidates.flatMap((candidate) => ('problem' in candidate ? candidate.problem : [])),
    };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return refuse('no such directory', 'a lab is a folder with a file NAME.yaml for each cluster');
    return refuse(describeError(error));
  }
}

function findInEntry(folder: Folder, entry: Dirent): Candidate[] {
  const { name } = entry;
  const isSpec = /\.ya?ml$/i.test(name);
  if (entry.isFile()) return isSpec ? [accept(folder, name, name)] : [];
  const path = join(folder.path, name);
  const type = attempt(() => statSync(path));
  if (type instanceof Error) return isSpec || type.code === 'ELOOP' ? [examine(folder, name)] : [];
  if (!type.isDirectory()) return isSpec ? [examine(folder, name)] : [];
  const names = attempt(() => listExisting(path, [...LAB_FILES, ...CLUSTER_FILES]));
  if (names instanceof Error)
    return [{ problem: { at: printable(join(folder.shown, name)), message: describeError(names) } }];
  if (LAB_FILES.some((file) => names.includes(file))) return [];
  return names.map((file) => examine(folder, join(name, file)));
}

function attempt<Result>(call: () => Result): Result | NodeJS.ErrnoException {
  try {
    return call();
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
}

/** Only a regular file inside the folder is read: a FIFO would block, a device never ends. */
function examine(folder: Folder, name: string): Candidate {
  const at = printable(join(folder.shown, name));
  try {
    const real = realpathSync.native(join(folder.path, name));
    if (!real.startsWith(folder.real.endsWith(sep) ? folder.real : folder.real + sep)) {
      return { problem: { at, message: 'a symbolic link that leaves the folder of the lab', hint: 'copy the file' } };
    }
    if (!statSync(real).isFile()) return { problem: { at, message: 'not a regular file' } };
    return accept(folder, name, relative(folder.real, real));
  } catch (error) {
    const dangling = (error as NodeJS.ErrnoException).code === 'ENOENT';
    return { problem: { at, message: dangling ? 'a symbolic link to nothing' : describeError(error) } };
  }
}

function accept(folder: Folder, name: string, id: string): Candidate {
  const role = LAB_FILES.includes(name) ? 'lab' : 'cluster';
  return { id, file: { path: join(folder.path, name), shown: printable(join(folder.shown, name)), role } };
}

/** A link to another spec file of the lab is that file. */
function dropAliases(candidates: readonly Candidate[]): SpecFile[] {
  const files = new Map<string, SpecFile>();
  for (const candidate of candidates) {
    if ('file' in candidate && !files.has(candidate.id)) files.set(candidate.id, candidate.file);
  }
  return [...files.values()];
}

/** Hidden files are not specs: editors keep their locks and copies there, as dangling links too. */
function listEntries(dir: string): Dirent[] {
  const entries: Dirent[] = [];
  const folder = opendirSync(dir);
  try {
    for (let entry = folder.readSync(); entry && entries.length <= MAX_ENTRIES; entry = folder.readSync()) {
      if (!entry.name.startsWith('.')) entries.push(entry);
    }
  } finally {
    folder.closeSync();
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

const listExisting = (dir: string, names: readonly string[]): string[] =>
  names.filter((name) => lstatSync(join(dir, name), { throwIfNoEntry: false }));
