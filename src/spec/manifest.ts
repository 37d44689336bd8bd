import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { Problem } from '../errors.ts';
import type { Manifest } from '../lab/lab.ts';
import { readBounded } from './read-bounded.ts';
import { show } from './show.ts';
import { findPlace, type Sourced, whereValue } from './source.ts';

const MAX_BYTES = 8 * 1024 * 1024;
const PATH = ['spec', 'loadBalancer', 'manifest'];

/** A URL as it is; a file, relative to the lab.yaml that names it, with the digest of its content. */
export async function resolveManifest(
  location: string,
  sourced: Sourced | undefined,
): Promise<Manifest | { problem: Problem }> {
  if (!sourced || (location.startsWith('https://') && URL.canParse(location))) return { location };
  const at = whereValue(sourced, PATH);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(location)) {
    return { problem: { at, message: `manifest: expected a file or an https URL, found ${show(location)}` } };
  }
  const path = resolve(dirname(findPlace(sourced, PATH).source.path), location);
  const read = await readBounded(path, MAX_BYTES);
  if ('failure' in read) return { problem: { at, message: `manifest: ${show(location)}: ${read.failure}` } };
  return { location: path, sha256: createHash('sha256').update(read.bytes).digest('hex') };
}
