import { describe, expect, it } from 'vitest';
import type { Cell } from '../../src/lab/reach.ts';
import { formatCells } from '../../src/report/verify-text.ts';

const cell = (from: string, to: string, more: Partial<Cell> = {}): Cell => ({
  kind: 'pod',
  from: { cluster: from, node: `${from}-worker` },
  to: { cluster: to, name: `${to}-worker` },
  family: 4,
  result: 'ok',
  source: '10.1.0.9',
  ...more,
});

const broken = cell('b', 'a', {
  result: 'failed',
  reason: 'no route on b-worker to 10.1.0.0/24',
  repair: 'lab route clusters b',
});

describe('the matrix of lab verify', () => {
  it('has a row and a column for each cluster, and counts what fails', () => {
    const cells = [cell('a', 'b'), cell('a', 'b', { family: 6 }), cell('b', 'a'), broken];
    expect(formatCells(cells, false)).toBe(`PODS: from a pod on every node to a pod on every node
FROM  a       b
a     -       v4 ok v6 ok
b     v4 1/2  -

FAILED
  lab route clusters b
    no route on b-worker to 10.1.0.0/24 (one way)

3 of 4 answer, 1 failed`);
  });

  it('tells what is known not to work from what fails', () => {
    const known = cell('a', 'b', { kind: 'dns', result: 'expected', reason: 'it is known' });
    const text = formatCells([known], false);
    expect(text).toContain('v4 known');
    expect(text).toContain('KNOWN, and no failure\n  a: it is known');
    expect(text).toContain('0 of 1 answers, 1 is known not to, 0 failed');
  });

  it('lists every answer with -o wide', () => {
    expect(formatCells([cell('a', 'b'), broken], true)).toMatch(/^a-worker +b-worker +v4 +ok +10\.1\.0\.9 +-$/m);
  });

  it('shows six reasons under a line to type, and that there are more', () => {
    const many = Array.from({ length: 9 }, (_, n) => ({ ...broken, reason: `reason ${n}` }));
    expect(formatCells(many, false)).toContain('    and 3 more: -o wide shows all');
  });

  it('says so when there is nothing to verify', () => {
    expect(formatCells([], false)).toBe('nothing to verify: no two clusters are in one group');
  });
});
