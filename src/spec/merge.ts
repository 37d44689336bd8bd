import { isMap, type Place, type Sourced, valueAt } from './source.ts';

/** `over` on top of `under`: maps merge, everything else replaces; each part keeps the place where it was written. */
export function mergeSourced(under: Sourced, over: Sourced): Sourced {
  return { value: mergeValues(under.value, over.value), places: new Map([...under.places, ...over.places]) };
}

/** The same for data without places. */
export function mergeData(
  under: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged = mergeValues(under, over);
  return isMap(merged) ? merged : { ...over };
}

function mergeValues(under: unknown, over: unknown): unknown {
  if (!isMap(under) || !isMap(over)) return over;
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    merged[key] = Object.hasOwn(under, key) ? mergeValues(under[key], value) : value;
  }
  return merged;
}

/** The part of a document at `from`, as a document that has it at `to` (one key); undefined when it has no map there. */
export function takePart(sourced: Sourced, from: readonly string[], to: string): Sourced | undefined {
  const part = valueAt(sourced.value, from);
  if (!isMap(part)) return undefined;
  const prefix = from.join('.');
  const places = new Map<string, Place>();
  for (const [path, place] of sourced.places) {
    if (path === prefix || path.startsWith(`${prefix}.`)) places.set(to + path.slice(prefix.length), place);
  }
  return { value: { [to]: part }, places };
}

/** The document without some keys of the map at `path`. */
export function omitKeys(sourced: Sourced, path: readonly string[], keys: readonly string[]): Sourced {
  const omit = (value: unknown, [first, ...rest]: readonly string[]): unknown => {
    if (!isMap(value)) return value;
    if (first === undefined) return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
    return Object.hasOwn(value, first) ? { ...value, [first]: omit(value[first], rest) } : value;
  };
  return { ...sourced, value: omit(sourced.value, path) };
}
