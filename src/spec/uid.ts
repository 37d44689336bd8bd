import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

/**
 * What a lab is known by: twelve hexadecimal digits made from the real path of its folder, and from `stateKey`.
 * The same when the folder is gone, so that its clusters can still be deleted.
 */
export function labUid(dir: string, cwd: string, stateKey = ''): string {
  return createHash('sha256')
    .update(`${resolveReal(resolve(cwd, dir))}\0${stateKey}`)
    .digest('hex')
    .slice(0, 12);
}

/** The real path of what exists of it, and the rest as it is. */
export function resolveReal(path: string): string {
  const rest: string[] = [];
  for (let existing = path; ; existing = dirname(existing)) {
    try {
      return join(realpathSync(existing), ...rest);
    } catch {
      if (existing === dirname(existing)) return path;
      rest.unshift(basename(existing));
    }
  }
}
