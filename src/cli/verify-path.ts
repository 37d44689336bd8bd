import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve as resolvePath } from 'node:path';
import { EnvironmentError, EXIT, InputError } from '../errors.ts';
import { type PathWord, readPathEnd } from '../observe/path-ends.ts';
import { resolve } from '../plan/resolve.ts';
import { roadsNow } from '../plan/simulate.ts';
import { judgePaths, pathQuestions } from '../plan/verify-path.ts';
import { formatPaths } from '../report/path-text.ts';
import { type Flags, type Io, print } from './io.ts';
import { measureUnlessStopped } from './measure.ts';
import { isData, printData } from './print-plan.ts';
import { openSession } from './session.ts';

/** The words of a command that asks for one path: the folder, if any, and both ends. */
interface PathWords {
  readonly rest: readonly string[];
  readonly from: PathWord;
  readonly to: PathWord;
}

/** `[DIR] CLUSTER/[NAMESPACE/]POD CLUSTER/[NAMESPACE/]NAME`; undefined for any other words. */
export function pathWords(words: readonly string[], cwd: string): PathWords | undefined {
  const [from, to] = words.slice(-2).map((word) => parseEnd(word, cwd));
  return from && to && words.length <= 3 ? { rest: words.slice(0, -2), from, to } : undefined;
}

function parseEnd(word: string, cwd: string): PathWord | undefined {
  const [, cluster, , namespace = 'default', name] =
    /^([a-z][-a-z0-9]*)\/(([-a-z0-9]+)\/)?([a-z0-9][-.a-z0-9]*)$/.exec(word) ?? [];
  const isFolder = statSync(resolvePath(cwd, word), { throwIfNoEntry: false })?.isDirectory() ?? false;
  return cluster && name && !isFolder ? { cluster, namespace, name } : undefined;
}

/** `lab verify FROM/POD TO/SERVICE`: one path, hop by hop. Exit code 1 when it does not lead there. */
export async function verifyPath({ rest, from, to }: PathWords, flags: Flags, io: Io): Promise<number> {
  const session = await openSession({ ...flags, words: [...rest, from.cluster, to.cluster] }, io);
  const observed = await session.observe({ choose: false, count: false, routing: [from.cluster, to.cluster] });
  if (!observed.engine)
    throw new EnvironmentError(`nothing was measured: ${observed.missing[0]?.what}`, observed.missing[0]?.hint);
  const desired = resolve(session.lab, observed);
  const kubeconfigOf = ({ cluster }: PathWord) =>
    readFile(session.state.kubeconfig(cluster), 'utf8').catch(() => undefined);
  const [near, far] = await Promise.all([kubeconfigOf(from), kubeconfigOf(to)]);
  if (near === undefined || far === undefined) {
    const absent = near === undefined ? from.cluster : to.cluster;
    throw new EnvironmentError(`${absent} does not exist`, `lab create ${session.lab.dir} ${absent}`);
  }
  const [source, target] = await Promise.all([readPathEnd(near, from, false), readPathEnd(far, to, true)]);
  const questions = pathQuestions(desired, source, target);
  if (questions.length === 0) {
    const message = `${from.cluster}/${from.name} and ${to.cluster}/${to.name} share no address family`;
    throw new InputError([{ at: 'command line', message }]);
  }
  const measured = await measureUnlessStopped(questions);
  if (!measured) return EXIT.interrupted;
  const paths = judgePaths(desired, questions, measured, roadsNow(desired, observed));
  if (isData(flags.output)) printData(paths, flags.output, io);
  else print(io, formatPaths(`${from.cluster}/${from.name} -> ${to.cluster}/${to.name}`, paths));
  return paths.some(({ result }) => result === 'failed') ? EXIT.failed : EXIT.done;
}
