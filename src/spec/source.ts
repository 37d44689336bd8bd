import type { LineCounter } from 'yaml';
import { isMap } from '../tools/merge-values.ts';

/** A file of the lab: as the user would type it, where it lies, and how an offset becomes a line and a column. */
export interface Source {
  readonly shown: string;
  readonly path: string;
  readonly lines: LineCounter;
}

/** Where a value and, in a map, its key were written (offsets). */
export interface Place {
  readonly source: Source;
  readonly key: number;
  readonly value: number;
}

/** A value that knows where each part was written; `places` has keys such as `spec.network.pods.0`, the root is ''. */
export interface Sourced {
  readonly value: unknown;
  readonly places: ReadonlyMap<string, Place>;
}

export type Path = readonly PropertyKey[];

/** `file:line:col`. */
export function formatPosition({ shown, lines }: Source, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${shown}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
}

/** The place of a path or, when nothing was written there, of what should have held it. */
export function findPlace({ places }: Sourced, path: Path): Place {
  for (let length = path.length; length >= 0; length--) {
    const place = places.get(joinPath(path.slice(0, length)));
    if (place) return place;
  }
  throw new TypeError('a document without a place');
}

/** Where the value of a path was written or, when it is missing, the key of what should have held it. */
export function whereValue(sourced: Sourced, path: Path): string {
  const place = sourced.places.get(joinPath(path));
  return place ? formatPosition(place.source, place.value) : whereKey(sourced, path);
}

/** Where the key of a path was written. */
export function whereKey(sourced: Sourced, path: Path): string {
  const { source, key } = findPlace(sourced, path);
  return formatPosition(source, key);
}

/** A key of `places`. */
const joinPath = (path: Path): string => path.join('.');

/** What the document holds at a path; undefined when there is nothing. */
export function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, key) => (isMap(inner) || Array.isArray(inner) ? own(inner, key) : undefined),
    value,
  );
}

// A key such as `constructor` must not find what every object inherits.
const own = (value: object, key: PropertyKey): unknown =>
  Object.hasOwn(value, key) ? (value as Record<PropertyKey, unknown>)[key] : undefined;
