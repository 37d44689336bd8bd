import { LineCounter, parseAllDocuments } from 'yaml';
import { isMap } from '../tools/merge-values.ts';

/** Above this a manifest is not looked into: kubectl says what is wrong with it. */
const MAX_BYTES = 512 * 1024;

/** Names of the services in a manifest, or what is wrong with it; undefined when it is too large to be looked into. */
export function servicesIn(
  bytes: Buffer,
): { readonly services: readonly string[] } | { readonly fault: string } | undefined {
  if (bytes.length > MAX_BYTES) return undefined;
  const lines = new LineCounter();
  // Its check of unique keys takes quadratic time.
  const documents = [
    ...parseAllDocuments(bytes.toString('utf8'), { lineCounter: lines, uniqueKeys: false, logLevel: 'silent' }),
  ];
  const services: string[] = [];
  for (const document of documents) {
    const [error] = document.errors;
    const at = `line ${lines.linePos(error?.pos[0] ?? document.range?.[0] ?? 0).line}`;
    if (error) return { fault: `not YAML: ${at}: ${error.message.split('\n')[0]?.replace(/ at line .*/, '')}` };
    const object: unknown = document.toJS({ maxAliasCount: 100 });
    if (object === null) continue;
    if (!isMap(object) || typeof object.apiVersion !== 'string' || typeof object.kind !== 'string')
      return { fault: `${at}: no object of Kubernetes: it lacks apiVersion and kind` };
    services.push(
      ...(object.kind === 'List' && Array.isArray(object.items) ? object.items : [object]).flatMap(nameOfService),
    );
  }
  return { services };
}

function nameOfService(object: unknown): string[] {
  if (!isMap(object) || object.kind !== 'Service' || !isMap(object.metadata)) return [];
  const { name } = object.metadata;
  return typeof name === 'string' ? [name] : [];
}
