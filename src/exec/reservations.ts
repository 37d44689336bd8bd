/**
 * Ranges and ports that creates in progress on one engine have chosen but not yet made. Whoever writes holds the engine's lock;
 * readers need none. What a dead process reserved is free.
 */
import { readFileSync } from 'node:fs';
import type { Reservation } from '../lab/observed.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { isAlive, isIdentity, type ProcessIdentity } from './process-identity.ts';

interface Entry extends Reservation {
  readonly identity: ProcessIdentity;
}

/** What others, and this process, have reserved; nothing when the file is missing or broken. */
export function readReservations(file: string): Reservation[] {
  return readLive(file).map(({ identity: _, ...reservation }) => reservation);
}

/**
 * Reserves ranges and ports for a lab, in place of what the same process had reserved for it.
 *
 * @throws FailedError when the file cannot be written.
 */
export async function reserve(
  file: string,
  identity: ProcessIdentity,
  uid: string,
  lab: string,
  chosen: readonly Omit<Reservation, 'uid' | 'lab'>[],
): Promise<void> {
  const others = readLive(file).filter((entry) => entry.uid !== uid || !isSame(entry.identity, identity));
  await write(file, [...others, ...chosen.map((one) => ({ uid, lab, ...one, identity }))]);
}

/**
 * Gives back all that a process has reserved.
 *
 * @throws FailedError when the file cannot be written.
 */
export async function releaseReservations(file: string, identity: ProcessIdentity): Promise<void> {
  const all = readLive(file);
  const others = all.filter((entry) => !isSame(entry.identity, identity));
  if (others.length < all.length) await write(file, others);
}

function write(file: string, entries: readonly Entry[]): Promise<void> {
  return writeFileAtomically(file, `${JSON.stringify(entries, undefined, 2)}\n`, { mode: 0o600 });
}

function readLive(file: string): Entry[] {
  try {
    const entries: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Array.isArray(entries) ? entries.filter(isEntry).filter((entry) => isAlive(entry.identity)) : [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { uid, lab, cidr, port, use, identity } = value as Record<string, unknown>;
  const isOne = typeof cidr === 'string' || typeof port === 'number';
  return isIdentity(identity) && isOne && [uid, lab, use].every((text) => typeof text === 'string');
}

const isSame = (a: ProcessIdentity, b: ProcessIdentity): boolean =>
  a.pid === b.pid && a.startedAt === b.startedAt && a.bootId === b.bootId && a.host === b.host;
