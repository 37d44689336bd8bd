import { type Document, isMap, isScalar, isSeq, type YAMLMap } from 'yaml';
import type { Problem } from '../errors.ts';

/** The sections of a kubeconfig that hold named entries, and what the body of such an entry is called. */
export const BODIES = { clusters: 'cluster', users: 'user', contexts: 'context' } as const;

export type Section = keyof typeof BODIES;

/** What in a document is not as in a kubeconfig, as far as we read or change it. */
export function findMisshapen(document: Document, locate: (node: unknown) => string): Problem[] {
  const { contents } = document;
  if (isEmpty(contents)) return [];
  const wrong = (node: unknown, message: string): Problem[] => [{ at: locate(node), message }];
  if (!isMap(contents)) return wrong(contents, 'a kubeconfig must be a mapping');

  const checkEntry = (section: Section, entry: unknown): Problem[] => {
    if (!isMap(entry) || typeof entry.get('name') !== 'string') {
      return wrong(entry, `an entry of ${section} must be a mapping with a name`);
    }
    const body: unknown = entry.get(BODIES[section], true);
    if (isEmpty(body)) return [];
    if (!isMap(body)) return wrong(body, `${BODIES[section]} must be a mapping`);
    const extensions: unknown = body.get('extensions', true);
    return isEmpty(extensions) || isSeq(extensions) ? [] : wrong(extensions, 'extensions must be a list');
  };
  const problems = (Object.keys(BODIES) as Section[]).flatMap((section) => {
    const list: unknown = (contents as YAMLMap).get(section, true);
    if (isEmpty(list)) return [];
    return isSeq(list)
      ? list.items.flatMap((entry) => checkEntry(section, entry))
      : wrong(list, `${section} must be a list`);
  });
  return problems.length > 0 ? problems : checkAliases();

  function checkAliases(): Problem[] {
    try {
      document.toJS();
      return [];
    } catch (error) {
      return wrong(contents, (error as Error).message);
    }
  }
}

export const isEmpty = (node: unknown): boolean =>
  node === undefined || node === null || (isScalar(node) && node.value === null);
