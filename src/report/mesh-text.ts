import type { MeshCell } from '../lab/reach.ts';
import { formatTable } from './table.ts';

const KINDS = ['anchors', 'issuer', 'link', 'request'] as const;

/** One row a link, and under it what is wrong with what to type; `wide` has a row each with what was seen. */
export function formatMesh(cells: readonly MeshCell[], wide: boolean): string {
  const title = 'MESH: each link, and a request over it with the identities that both ends saw';
  const failed = cells.filter(({ result }) => result === 'failed').map(describe);
  const unmeasured = cells.filter(({ result }) => result === 'unmeasured').map(describe);
  return [
    `${title}\n${wide ? eachCell(cells) : eachLink(cells)}`,
    ...(failed.length > 0 ? [`FAILED IN THE MESH\n${failed.join('\n')}`] : []),
    ...(unmeasured.length > 0 ? [`NOT MEASURED\n${unmeasured.join('\n')}`] : []),
  ].join('\n\n');
}

const describe = ({ kind, from, to, reason, repair }: MeshCell): string =>
  [`  ${from.cluster} → ${to.cluster}, ${kind}: ${reason}`, ...(repair === undefined ? [] : [`    ${repair}`])].join(
    '\n',
  );

function eachLink(cells: readonly MeshCell[]): string {
  const edges = new Map(cells.map((cell) => [`${cell.from.cluster} ${cell.to.cluster}`, cell]));
  const result = ({ from, to }: MeshCell, kind: MeshCell['kind']) =>
    cells.find((cell) => cell.kind === kind && cell.from.cluster === from.cluster && cell.to.cluster === to.cluster)
      ?.result ?? '-';
  return formatTable(
    ['FROM', 'TO', 'MODE', 'ANCHORS', 'ISSUER', 'LINK', 'REQUEST'],
    [...edges.values()].map((edge) => [
      edge.from.cluster,
      edge.to.cluster,
      edge.mode,
      ...KINDS.map((kind) => result(edge, kind)),
    ]),
  );
}

const eachCell = (cells: readonly MeshCell[]): string =>
  formatTable(
    ['FROM', 'TO', 'WHAT', 'RESULT', 'SEEN', 'WHY NOT'],
    cells.map(({ kind, from, to, result, seen, reason }) => [
      from.cluster,
      to.cluster,
      kind,
      result,
      seen,
      reason ?? '',
    ]),
  );
