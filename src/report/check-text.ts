import type { CheckResult } from '../lab/checks.ts';
import { formatTable } from './table.ts';

/** What the lab says that must hold, a line each. */
export const formatChecks = (results: readonly CheckResult[]): string =>
  `CHECKS: what the lab says must hold\n${formatTable(
    ['CHECK', 'FROM', 'RESULT', 'REASON'],
    results.map(({ name, from, result, reason = '-' }) => [name, from, result, reason]),
  )}`;
