import type * as z from 'zod/mini';
import type { Problem } from '../errors.ts';
import { formatCount } from '../lab/format-count.ts';
import { isMap } from '../tools/merge-values.ts';
import { keysAt } from './schema-keys.ts';
import { listChoices, show } from './show.ts';
import { type Path, type Sourced, valueAt, whereKey, whereValue } from './source.ts';
import { nearest, suggest } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** What users call things, with the key that says it here. */
const ALIASES: Readonly<Record<string, string>> = {
  agents: 'workers',
  clusterDomain: 'domain',
  controlPlanes: 'servers',
  k8s: 'kubernetes',
  lb: 'loadBalancer',
  masters: 'servers',
  podCIDR: 'pods',
  podSubnet: 'pods',
  portMappings: 'ports',
  serviceCIDR: 'services',
  serviceSubnet: 'services',
};

const EXPECTED: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a whole number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'a map',
  record: 'a map',
};

const UNITS: Readonly<Record<string, string>> = { string: 'character', array: 'item' };

/**
 * Reads a document by a schema, or says everything that is wrong with it, where it stands. `plain` is a part of the
 * schema that is quickly built: what it reads, the whole would read just so.
 */
export function checkSchema<Schema extends z.ZodMiniType>(
  whole: () => Schema,
  sourced: Sourced,
  plain?: z.ZodMiniType<z.output<Schema>>,
): { value: z.output<Schema> } | { problems: readonly Problem[] } {
  const quick = plain?.safeParse(sourced.value);
  if (quick?.success) return { value: quick.data };
  const schema = whole();
  const read = schema.safeParse(sourced.value);
  if (read.success) return { value: read.data };
  return { problems: read.error.issues.flatMap((issue) => toProblems(schema, sourced, issue)) };
}

function toProblems(schema: z.ZodMiniType, sourced: Sourced, issue: Issue): Problem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, path);
    return issue.keys.map((key) => ({
      at: whereKey(sourced, [...path, key]),
      message: `unknown key ${show(key)}`,
      ...suggestKey(key, known),
    }));
  }
  if (issue.code === 'invalid_union') {
    const branch = issue.errors.find((errors) => !errors.some(isWrongRoot));
    const inner = branch?.map((other) => ({ ...other, path: [...path, ...other.path] }));
    if (inner) return inner.flatMap((other) => toProblems(schema, sourced, other));
  }
  const at = issue.code === 'invalid_key' ? whereKey(sourced, path) : whereValue(sourced, path);
  return [{ at, ...describe(issue, sourced, valueAt(sourced.value, path)) }];
}

const isWrongRoot = ({ code, path }: Issue) => code === 'invalid_type' && path.length === 0;

function describe(issue: Issue, { value: root }: Sourced, value: unknown): Pick<Problem, 'message' | 'hint'> {
  const label = labelOf(issue.path);
  const holder = valueAt(root, issue.path.slice(0, -1));
  if (value === undefined && isMap(holder)) return { message: `${label} is missing` };
  if (issue.code === 'custom') {
    const hint: unknown = issue.params?.hint;
    return { message: `${label}: ${issue.message}`, ...(typeof hint === 'string' && { hint }) };
  }
  if (issue.code === 'invalid_type' && issue.expected === 'never') return { message: `${label}: ${issue.message}` };
  const found = issue.code === 'invalid_key' ? issue.path.at(-1) : value;
  const message = `${label}: ${expectation(issue)}, found ${show(found)}`;
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    return { message, ...suggest(value, issue.values.map(String)) };
  }
  const isText = issue.code === 'invalid_type' && issue.expected === 'string';
  return { message, ...(isText && isScalar(value) && { hint: 'put it in quotes' }) };
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${nameExpected(issue)}`;
    case 'invalid_value':
      return `expected ${listChoices(issue.values.map(String))}`;
    case 'invalid_union':
      return `expected ${listChoices(issue.errors.flatMap(([first]) => (first ? nameExpected(first) : [])))}`;
    case 'too_small':
      return `expected at least ${withUnit(Number(issue.minimum), issue.origin)}`;
    case 'too_big':
      return `expected at most ${withUnit(Number(issue.maximum), issue.origin)}`;
    case 'invalid_key':
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
}

const withUnit = (count: number, origin: string): string => {
  const unit = UNITS[origin];
  return unit === undefined ? String(count) : formatCount(count, unit);
};

const nameExpected = (issue: Issue): string =>
  issue.code === 'invalid_type' ? (EXPECTED[issue.expected] ?? issue.expected) : issue.message;

function suggestKey(key: string, known: readonly string[]): { hint?: string } {
  const alias = Object.hasOwn(ALIASES, key) ? ALIASES[key] : undefined;
  if (alias !== undefined && known.includes(alias)) return { hint: `did you mean "${alias}"?` };
  if (nearest(key, known) !== undefined) return suggest(key, known);
  return known.length > 0 ? { hint: `keys here: ${known.join(', ')}` } : {};
}

/** The last key of a path, with the index below it: `pods[0]`. */
export function labelOf(path: Path): string {
  const name = path.findLastIndex((key) => !/^\d+$/.test(String(key)));
  const index = path.slice(name + 1).map((key) => `[${String(key)}]`);
  return `${name < 0 ? 'document' : String(path[name])}${index.join('')}`;
}

const isScalar = (value: unknown): boolean => typeof value === 'number' || typeof value === 'boolean';
