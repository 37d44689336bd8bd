import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { Problem } from '../errors.ts';
import type { Manifest } from '../lab/lab.ts';
import { readBounded } from './read-bounded.ts';
import { show } from './show.ts';
import { findPlace, type Path, type Sourced, whereValue } from './source.ts';

const MAX_BYTES = 8 * 1024 * 1024;

export interface ReadManifest {
  readonly manifest: Manifest;
  /** What a local file holds. */
  readonly bytes?: Buffer;
}

/** A URL as it is; a file, relative to the one that names it at `path`, with the digest of its content. */
export function resolveManifest(
  location: string,
  sourced: Sourced | undefined,
  path: Path,
): Manifest | { problem: Problem } {
  const read = readManifest(location, sourced, path);
  return 'problem' in read ? read : read.manifest;
}

/** The same, with the content of a file. */
export function readManifest(
  location: string,
  sourced: Sourced | undefined,
  path: Path,
): ReadManifest | { problem: Problem } {
  if (!sourced || (location.startsWith('https://') && URL.canParse(location))) return { manifest: { location } };
  const at = whereValue(sourced, path);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) {
    return { problem: { at, message: `manifest: expected a file or an https URL, found ${show(location)}` } };
  }
  const file = resolveBeside(location, sourced, path);
  const read = readBounded(file, MAX_BYTES);
  if ('failure' in read) return { problem: { at, message: `manifest: ${show(location)}: ${read.failure}` } };
  const sha256 = createHash('sha256').update(read.bytes).digest('hex');
  return { manifest: { location: file, sha256 }, bytes: read.bytes };
}

/** A path as the file means it that holds it. */
export const resolveBeside = (location: string, sourced: Sourced, path: Path): string =>
  resolve(dirname(findPlace(sourced, path).source.path), location);
