import { LineCounter, parseAllDocuments } from 'yaml';
import { isMap } from '../tools/merge-values.ts';

/** Above this a manifest is not looked into: kubectl says what is wrong with it. */
const MAX_BYTES = 512 * 1024;

/** An object of a manifest, as far as it says what it is. */
export interface ManifestObject {
  /** Empty for the core one. */
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly line: number;
}

/** The objects with a name in a manifest, or what is wrong with it; undefined when it is too large to be looked into. */
export function objectsIn(
  bytes: Buffer,
): { readonly objects: readonly ManifestObject[] } | { readonly fault: string } | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  const lines = new LineCounter();
  // Its check of unique keys takes quadratic time.
  const documents = [
    ...parseAllDocuments(bytes.toString('utf8'), { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' }),
  ];
  const objects: ManifestObject[] = [];
  for (const document of documents) {
    const [error] = document.errors;
    const { line } = lines.linePos(error?.pos[0] ?? document.contents?.range?.[0] ?? document.range?.[0] ?? 0);
    const at = `line ${line}`;
    if (error) return { fault: `not YAML: ${at}: ${error.message.split('\n')[0]?.replace(/ at line .*/, '')}` };
    const object: unknown = document.toJS({ maxAliasCount: 100 });
    if (object === null) continue;
    if (!isMap(object) || typeof object.apiVersion !== 'string' || typeof object.kind !== 'string')
      return { fault: `${at}: no object of Kubernetes: it lacks apiVersion and kind` };
    const items = object.kind === 'List' && Array.isArray(object.items) ? object.items : [object];
    objects.push(...items.flatMap((item) => describeObject(item, line)));
  }
  return { objects };
}

function describeObject(object: unknown, line: number): ManifestObject[] {
  if (!isMap(object) || !isMap(object.metadata)) return [];
  const { apiVersion, kind } = object;
  const { name, namespace } = object.metadata;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || typeof name !== 'string') return [];
  const group = apiVersion.includes('/') ? apiVersion.replace(/\/.*/, '') : '';
  return [{ group, kind, name, line, ...(typeof namespace === 'string' && { namespace }) }];
}
