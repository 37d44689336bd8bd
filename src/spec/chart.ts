import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from '../errors.ts';
import type { ChartSource } from '../lab/apps.ts';
import { resolveBeside } from './manifest.ts';
import { describeError, readBounded } from './read-bounded.ts';
import { show } from './show.ts';
import { type Path, type Sourced, whereValue } from './source.ts';

const MAX_BYTES = 8 * 1024 * 1024;
const MAX_FILES = 1000;

export interface ChartWords {
  readonly chart: string;
  readonly repo?: string | undefined;
  readonly version?: string | undefined;
}

const isLocal = (chart: string): boolean => /^(\.{0,2}\/|.*\.tgz$)/.test(chart) && !chart.includes('://');

/** The chart that words at `path` name; a local one with the digest of all its files. */
export function resolveChart(
  { chart, repo, version }: ChartWords,
  sourced: Sourced,
  path: Path,
): Pick<ChartSource, 'chart' | 'repo' | 'version' | 'sha256'> | { readonly problem: Problem } {
  const at = whereValue(sourced, [...path, 'chart']);
  const refuse = (message: string, hint?: string) => ({ problem: { at, message, ...(hint && { hint }) } });
  if (isLocal(chart)) {
    const place = resolveBeside(chart, sourced, [...path, 'chart']);
    const digest = digestOf(place);
    return 'failure' in digest
      ? refuse(`chart: ${show(chart)}: ${digest.failure}`)
      : { chart: place, sha256: digest.sha256 };
  }
  if (repo === undefined && !chart.startsWith('oci://'))
    return refuse(`chart: ${show(chart)} is neither a file nor a name in a repo`, 'write ./NAME, oci://…, or a repo');
  if (repo !== undefined && !(repo.startsWith('https://') && URL.canParse(repo)))
    return refuse(`repo: expected an https URL, found ${show(repo)}`);
  if (version === undefined) return refuse(`version is missing: ${show(chart)} would be another chart every day`);
  return { chart, version, ...(repo !== undefined && { repo }) };
}

/** Of a packed chart its own, of a folder that of all files in it. */
function digestOf(place: string): { readonly sha256: string } | { readonly failure: string } {
  const hash = createHash('sha256');
  try {
    const folder = statSync(place).isDirectory();
    const files = folder ? filesOf(place) : [''];
    if (folder && !files.includes('Chart.yaml')) return { failure: 'no Chart.yaml in it' };
    if (files.length > MAX_FILES) return { failure: `more than ${MAX_FILES} files` };
    for (const file of files.sort()) {
      const read = readBounded(folder ? join(place, file) : place, MAX_BYTES);
      if ('failure' in read) return { failure: `${file} ${read.failure}`.trim() };
      hash.update(`${file}\0${read.bytes.length}\0`).update(read.bytes);
    }
    return { sha256: hash.digest('hex') };
  } catch (error) {
    return { failure: describeError(error) };
  }
}

const filesOf = (place: string): string[] =>
  readdirSync(place, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1));
