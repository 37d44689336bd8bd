import { isMap, mergeValues } from '../tools/merge-values.ts';
import { type Place, type Sourced, valueAt } from './source.ts';

/** `over` on top of `under`: maps merge, everything else replaces; each part keeps the place where it was written. */
export function mergeSourced(under: Sourced, over: Sourced): Sourced {
  const value = isMap(under.value) && isMap(over.value) ? mergeValues(under.value, over.value) : over.value;
  return { value, places: new Map([...under.places, ...over.places]) };
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
