/** The user's kubeconfig: edited only under its lock, written as a whole, and only when something changes. */
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { InputError } from '../errors.ts';
import type { ObservedContext } from '../lab/observed.ts';
import { type Kubeconfig, listEntries, parseKubeconfig } from './kubeconfig-document.ts';
import { merge, readAccess, remove } from './kubeconfig-edit.ts';
import { readCa, readOwner } from './kubeconfig-entry.ts';
import type { Section } from './kubeconfig-shape.ts';

export interface KubeconfigChoice {
  /** The one to edit. */
  readonly file: string;
  /** All that kubectl would read. */
  readonly all: readonly string[];
}

export interface MergeRequest {
  readonly file: string;
  /** The cluster's private kubeconfig, complete in itself (`kubectl config view --flatten`). */
  readonly privateFile: string;
  /** Names under which the cluster is known. */
  readonly contexts: readonly string[];
  readonly uid: string;
  readonly cluster: string;
}

export interface RemoveRequest {
  readonly file: string;
  readonly contexts: readonly string[];
  readonly uid: string;
}

/** Chooses as client-go does: the flag, else the first of KUBECONFIG that exists or its last, else ~/.kube/config. */
export function chooseKubeconfig(env: NodeJS.ProcessEnv, flag?: string): KubeconfigChoice {
  const listed = flag ? [flag] : (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '');
  const paths = listed.length > 0 ? listed : [join(env.HOME || homedir(), '.kube', 'config')];
  const all = [...new Set(paths.map((path) => resolve(path)))];
  return { file: all.find((path) => existsSync(path)) ?? (all.at(-1) as string), all };
}

/**
 * All contexts of these files; of two with one name the first counts, as for kubectl. A missing file is empty.
 *
 * @throws InputError with every place that is not a kubeconfig.
 */
export async function readContexts(files: readonly string[]): Promise<ObservedContext[]> {
  const configs = await readAll(files);
  const firsts = (section: Section) => {
    const all = configs.flatMap((config) => listEntries(config, section).map((entry) => ({ config, ...entry })));
    return new Map(all.reverse().map((entry) => [entry.name, entry]));
  };
  const clusters = firsts('clusters');
  return [...firsts('contexts').values()].reverse().map(({ name, config, body }) => {
    const cluster = clusters.get(String(body.get('cluster')));
    const owner = readOwner(config, body);
    const server = cluster?.body.get('server');
    const ca = cluster && readCa(cluster.config, cluster.body);
    return {
      name,
      file: config.file,
      ...(owner !== undefined && { owner }),
      ...(typeof server === 'string' && { server }),
      ...(ca !== undefined && { ca }),
    };
  });
}

/**
 * Copies the cluster and the user of a private kubeconfig, under their own names, and makes each of `contexts` refer to
 * them. A context of the same cluster that somebody else made is adopted. Returns whether the file changed.
 *
 * @throws InputError when a file is broken or a name is taken by another cluster; FailedError when the file stays locked
 *   or cannot be written. The file is then as it was.
 */
export async function mergeContexts({ file, privateFile, ...request }: MergeRequest): Promise<boolean> {
  const access = readAccess(await read(privateFile));
  const hint = `the cluster can be used with --kubeconfig ${privateFile}; `;
  return await edit(file, hint, (config) => merge(config, { ...request, access }));
}

/**
 * Removes those of `contexts` that carry the mark of this lab, with the clusters and users that only they referred to.
 * Returns whether the file changed.
 *
 * @throws InputError when the file is broken; FailedError when it stays locked or cannot be written. It is then as it was.
 */
export async function removeContexts({ file, contexts, uid }: RemoveRequest): Promise<boolean> {
  return await edit(file, '', (config) => remove(config, contexts, uid));
}

async function readAll(files: readonly string[]): Promise<Kubeconfig[]> {
  const results = await Promise.allSettled(files.map(read));
  const errors = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  const problems = errors.flatMap((error) => (error instanceof InputError ? error.problems : []));
  if (problems.length > 0) throw new InputError(problems);
  return results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

async function edit(file: string, hint: string, change: (config: Kubeconfig) => void): Promise<boolean> {
  // A file that is right already needs no lock.
  if ((await compute(file, change)) === undefined) return false;
  // Most verbs only read the file, and these load a part of Node that takes a while.
  const [{ writeFileAtomically }, { withKubeconfigLock }] = await Promise.all([
    import('./atomic-file.ts'),
    import('./kubeconfig-lock.ts'),
  ]);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  return await withKubeconfigLock(file, hint, async () => {
    const text = await compute(file, change);
    if (text === undefined) return false;
    const mode = (statSync(file, { throwIfNoEntry: false })?.mode ?? 0o600) & 0o777;
    await writeFileAtomically(file, text, { mode, followSymlink: true });
    return true;
  });
}

/** The new text; nothing when it would be the same. */
async function compute(file: string, change: (config: Kubeconfig) => void): Promise<string | undefined> {
  const config = await read(file);
  const before = config.render();
  change(config);
  const after = config.render();
  return after === before ? undefined : after;
}

async function read(file: string): Promise<Kubeconfig> {
  try {
    return parseKubeconfig(file, readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return parseKubeconfig(file, '');
    throw code === undefined ? error : new InputError([{ at: file, message: `cannot be read: ${code}` }]);
  }
}
