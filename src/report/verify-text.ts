import type { Cell } from '../lab/reach.ts';
import { formatTable } from './table.ts';

const TITLES = {
  pod: 'PODS: from a pod on every node to a pod on every node',
  inside: 'INSIDE: pods and a service of one cluster',
  workload: 'WORKLOADS: from a pod on every node to what is beside the cluster',
  pool: 'POOLS: the address of a load balancer',
  dns: 'NAMES: the cluster and the API servers of its peers',
} as const;

/** One table for each kind of question, cluster by cluster, then every failure with what to type. */
export function formatCells(cells: readonly Cell[], wide: boolean): string {
  const tables = (['pod', 'inside', 'workload', 'pool', 'dns'] as const).flatMap((kind) => {
    const of = cells.filter((cell) => cell.kind === kind);
    return of.length > 0 ? [`${TITLES[kind]}\n${wide ? eachCell(of) : matrix(of)}`] : [];
  });
  const failed = cells.filter(({ result }) => result === 'failed');
  const known = new Set(
    cells.flatMap(({ result, reason, from }) =>
      result === 'expected' ? [`${from.cluster || 'host'}: ${reason}`] : [],
    ),
  );
  return [
    ...tables,
    ...(known.size > 0 ? [`KNOWN, and no failure\n${[...known].map((text) => `  ${text}`).join('\n')}`] : []),
    ...(failed.length > 0 ? [`FAILED\n${failures(failed)}`] : []),
    summary(cells),
  ].join('\n\n');
}

const summary = (cells: readonly Cell[]): string => {
  const count = (result: Cell['result']) => cells.filter((cell) => cell.result === result).length;
  const expected = count('expected');
  if (cells.length === 0) return 'nothing to verify: no two clusters are in one group';
  return `${count('ok')} of ${cells.length} ${cells.length === 1 ? 'answers' : 'answer'}${expected > 0 ? `, ${expected} ${expected === 1 ? 'is' : 'are'} known not to` : ''}, ${count('failed')} failed`;
};

function matrix(cells: readonly Cell[]): string {
  const rows = [...new Set(cells.map(({ from }) => from.cluster))].toSorted();
  const columns = [...new Set(cells.map(({ to }) => to.cluster))].toSorted();
  return formatTable(
    ['FROM', ...columns],
    rows.map((row) => [
      row || 'host',
      ...columns.map((column) => score(cells.filter(({ from, to }) => from.cluster === row && to.cluster === column))),
    ]),
  );
}

/** `v4 ok` when all answer, `v4 1/4` when some do not. */
function score(cells: readonly Cell[]): string {
  return ([4, 6] as const)
    .flatMap((family) => {
      const of = cells.filter((cell) => cell.family === family);
      const good = of.filter(({ result }) => result === 'ok').length;
      if (of.length === 0) return [];
      if (of.some(({ result }) => result === 'failed')) return [`v${family} ${good}/${of.length}`];
      return [`v${family} ${good === of.length ? 'ok' : good === 0 ? 'known' : 'ok*'}`];
    })
    .join(' ');
}

const eachCell = (cells: readonly Cell[]): string =>
  formatTable(
    ['FROM', 'TO', 'FAMILY', 'RESULT', 'ARRIVES AS', 'WHY NOT'],
    cells.map(({ from, to, family, result, source, reason }) => [
      from.node,
      to.name,
      `v${family}`,
      result,
      source ?? '',
      reason ?? '',
    ]),
  );

/** How many reasons are listed under one line to type; `-o wide` lists them all. */
const SHOWN = 6;

/** What one line puts right stands together, and the ways that one reason blocks are counted. */
function failures(cells: readonly Cell[]): string {
  const byRepair = groupBy(cells, ({ repair }) => repair ?? '');
  return [...byRepair]
    .map(([repair, of]) => {
      const reasons = [...groupBy(of, ({ reason }) => reason ?? '')].map(
        ([reason, blocked]) => `    ${reason} (${blocked.length === 1 ? 'one way' : `${blocked.length} ways`})`,
      );
      const more = reasons.length > SHOWN ? [`    and ${reasons.length - SHOWN} more: -o wide shows all`] : [];
      return [`  ${repair}`, ...reasons.slice(0, SHOWN), ...more].join('\n');
    })
    .join('\n');
}

function groupBy<T>(list: readonly T[], key: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of list) groups.set(key(one), [...(groups.get(key(one)) ?? []), one]);
  return groups;
}
