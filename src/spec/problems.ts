import type { Problem } from '../errors.ts';
import { formatCount } from '../lab/format-count.ts';

/** More than a person reads at once. */
const MOST_OF_A_FILE = 100;

/** Each problem once, in the order of files, lines and columns. */
export function arrangeProblems(problems: readonly Problem[]): Problem[] {
  const unique = new Map(problems.map((problem) => [`${problem.at}\0${problem.message}`, problem]));
  const files = new Map<string, { problem: Problem; line: number; col: number }[]>();
  for (const problem of unique.values()) {
    const { file, ...position } = splitPosition(problem.at);
    const known = files.get(file);
    if (known) known.push({ problem, ...position });
    else files.set(file, [{ problem, ...position }]);
  }
  return [...files]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, found]) => {
      const sorted = found.sort((a, b) => a.line - b.line || a.col - b.col).map(({ problem }) => problem);
      const next = sorted[MOST_OF_A_FILE];
      if (!next) return sorted;
      const message = `and ${formatCount(sorted.length - MOST_OF_A_FILE, 'more problem')} from here on`;
      return [...sorted.slice(0, MOST_OF_A_FILE), { at: next.at, message }];
    });
}

function splitPosition(at: string): { file: string; line: number; col: number } {
  const [, file = at, line = '0', col = '0'] = /^(.*):(\d+):(\d+)$/s.exec(at) ?? [];
  return { file, line: Number(line), col: Number(col) };
}
