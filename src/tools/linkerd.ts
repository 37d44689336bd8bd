/** `linkerd`: which versions fit what, and what its checks print. */

type Release = readonly [number, number];

/** Open source releases are edges since 2.15: which edge began which series. */
const EDGES: readonly (readonly [readonly [number, number, number], Release])[] = [
  [
    [26, 6, 1],
    [2, 20],
  ],
  [
    [25, 10, 7],
    [2, 19],
  ],
  [
    [25, 4, 4],
    [2, 18],
  ],
];

/** Its `multicluster link-gen` is the first that fits the extension's own controllers. */
const OLDEST: Release = [2, 18];

/** Where a CLI that fits comes from. */
export const LINKERD_SOURCE = 'Linkerd edge-25.4.4 (2.18) or newer: curl -sL https://run.linkerd.io/install-edge | sh';

/** The series of a version such as `edge-26.8.3` or `enterprise-2.19.1`; undefined for a build of somebody's own. */
export function seriesOf(version: string): Release | undefined {
  const edge = /^edge-(\d+)\.(\d+)\.(\d+)/.exec(version);
  if (edge) {
    const numbers = edge.slice(1).map(Number);
    return EDGES.find(([first]) => compare(numbers, first) >= 0)?.[1] ?? [2, 17];
  }
  const release = /^(?:stable-|enterprise-|v)?2\.(\d+)/.exec(version);
  return release ? [2, Number(release[1])] : undefined;
}

/** Whether links cannot be made with it. */
export function isTooOld(version: string): boolean {
  const series = seriesOf(version);
  return series !== undefined && compare(series, OLDEST) < 0;
}

/** Why installed Gateway API CRDs do not fit; undefined when they do, or nothing can be said. */
export function gatewayApiMisfit(linkerd: string, installed: string): string | undefined {
  const series = seriesOf(linkerd);
  const version = /^v?(\d+)\.(\d+)\.(\d+)/.exec(installed)?.slice(1).map(Number);
  if (!version) return undefined;
  const [first, last] = series && compare(series, [2, 20]) < 0 ? ['1.1.1', '1.2.1'] : ['1.2.1', '1.5.1'];
  const fits = compare(version, numbersOf(first)) >= 0 && compare(version, numbersOf(last)) <= 0;
  return fits ? undefined : `Gateway API CRDs ${installed} are installed, and ${linkerd} fits ${first} to ${last}`;
}

const numbersOf = (version: string): number[] => version.split('.').map(Number);

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [index, number] of one.entries()) {
    const difference = number - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** One line of `linkerd check`. */
export interface CheckResult {
  readonly category: string;
  readonly description: string;
  readonly result: 'success' | 'warning' | 'error';
  readonly error?: string;
}

interface CheckDocument {
  readonly categories?:
    | readonly {
        readonly categoryName: string;
        readonly checks?: readonly Omit<CheckResult, 'category'>[] | null;
      }[]
    | null;
}

/**
 * The results of `linkerd check -o json`: a stream of JSON documents, one for itself and one for all extensions.
 * Undefined when it is no such stream: then it never came to check anything.
 */
export function readChecks(output: string): readonly CheckResult[] | undefined {
  const documents = splitDocuments(output);
  if (documents.length === 0) return undefined;
  try {
    return documents
      .map((text) => JSON.parse(text) as CheckDocument)
      .flatMap(({ categories }) => categories ?? [])
      .flatMap(({ categoryName, checks }) => (checks ?? []).map((check) => ({ category: categoryName, ...check })));
  } catch {
    return undefined;
  }
}

/** Texts of the JSON objects that stand one behind the other. */
function splitDocuments(text: string): string[] {
  const documents: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{' && depth++ === 0) start = index;
    if (token === '}' && --depth === 0) documents.push(text.slice(start, index + 1));
  }
  return documents;
}

/** Whether there is a newer release is asked on the internet; a lab may have none. */
const NEWS = /up-to-date|latest version/;

/** What a person needs to know of the results: how many, and what is wrong in lines of its own. */
export function summariseChecks(results: readonly CheckResult[]): {
  readonly failed: readonly string[];
  readonly warnings: readonly string[];
  readonly passed: number;
} {
  const lines = (wanted: CheckResult['result']) =>
    results
      .filter(({ result, description }) => result === wanted && !(wanted === 'warning' && NEWS.test(description)))
      .map(({ category, description, error }) => `${category}: ${description}${error ? `: ${error}` : ''}`);
  return {
    failed: lines('error'),
    warnings: lines('warning'),
    passed: results.filter(({ result }) => result === 'success').length,
  };
}
