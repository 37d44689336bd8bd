import { listOf, type Metadata } from '../tools/kube-api.ts';
import type { ApiClient } from './api-client.ts';

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly verbs?: readonly string[] }[];
}

/** The types of one version of one group, without what is only a part of an object. */
export async function readResources(api: ApiClient, root: string): Promise<NonNullable<ResourceList['resources']>> {
  const list = (await api.get(root)) as ResourceList | undefined;
  return list?.resources?.filter(({ name }) => !name.includes('/')) ?? [];
}

/** An object as the mark of its app knows it: `apps/v1 Deployment shop/web`. */
interface Recorded {
  readonly type: string;
  readonly path: string;
}

export function parseObjects(lines: readonly string[]): Recorded[] {
  return lines.flatMap((line) => {
    const [, type, path] = /^(\S+ \S+) (\S*\/\S+)$/.exec(line) ?? [];
    return type && path ? [{ type, path }] : [];
  });
}

/**
 * Tells which of these objects are there no more, or without a mark: as `Deployment shop/web`. It takes a request for each
 * type among them, and one for each API group. What cannot be read is taken to be there.
 */
export async function findMissing(
  api: ApiClient,
  selector: string,
  objects: readonly Recorded[],
): Promise<(object: Recorded) => string | undefined> {
  const types = [...new Set(objects.map(({ type }) => type))].map(splitType);
  const roots = new Map([...new Set(types.map(({ root }) => root))].map((root) => [root, readResources(api, root)]));
  const there = new Map(
    await Promise.all(
      types.map(async ({ type, root, kind }) => {
        try {
          const found = (await roots.get(root))?.find((one) => one.kind === kind);
          return [type, found ? await readPaths(api, `${root}/${found.name}`, selector) : new Set()] as const;
        } catch {
          return [type, undefined] as const;
        }
      }),
    ),
  );
  return ({ type, path }) =>
    there.get(type)?.has(path) === false ? `${splitType(type).kind} ${path.replace(/^\//, '')}` : undefined;
}

function splitType(type: string) {
  const [version = '', kind = ''] = type.split(' ');
  return { type, kind, root: version.includes('/') ? `/apis/${version}` : `/api/${version}` };
}

async function readPaths(api: ApiClient, path: string, selector: string): Promise<ReadonlySet<string>> {
  const list = await api.get(`${path}?labelSelector=${encodeURIComponent(selector)}`);
  return new Set(
    listOf<{ readonly metadata: Metadata }>(list).map(
      ({ metadata: { namespace = '', name } }) => `${namespace}/${name}`,
    ),
  );
}
