import { readFile } from 'node:fs/promises';
import { delimiter, dirname, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ExistingAccess } from '../observe/existing.ts';
import { type Kubeconfig, listEntries, parseKubeconfig } from './kubeconfig-document.ts';
import { type Fields, readCa, readFields } from './kubeconfig-entry.ts';
import type { Section } from './kubeconfig-shape.ts';

/** How one context reaches its cluster, with everything in it that it takes from files. */
interface FlatContext {
  readonly server: string;
  /** SHA-256 of the CA; absent for a cluster that is trusted without one of its own. */
  readonly ca?: string;
  readonly cluster: Fields;
  readonly user: Fields;
}

/**
 * Reads a context as kubectl does: of two entries with one name the first counts.
 *
 * @throws InputError with every place that is not a kubeconfig.
 */
export async function readExistingAccess(
  files: readonly string[],
  context: string,
  privateFile: string,
): Promise<ExistingAccess> {
  const kubeconfig = files.join(delimiter);
  const configs = await readAll(files);
  const kept = await flatten(await readAll([privateFile]).catch(() => []), context).catch(() => undefined);
  const shared = { kubeconfig, ...(kept && { kept: { ca: kept.ca ?? '', server: kept.server } }) };
  try {
    const found = await flatten(configs, context);
    if (found) {
      const text = JSON.stringify(toKubeconfig(context, found));
      return {
        ...shared,
        text,
        server: found.server,
        stale: !isDeepStrictEqual(withoutDefaults(found), withoutDefaults(kept)),
      };
    }
  } catch (error) {
    const message = `context ${context} cannot be used: ${(error as Error).message}`;
    return { ...shared, stale: false, problem: { message, hint: `KUBECONFIG=${kubeconfig} kubectl config view` } };
  }
  const names = configs.flatMap((config) => listEntries(config, 'contexts').map(({ name }) => name));
  const where = configs.length > 0 ? files.join(', ') : `${files.join(', ')}, which is not there`;
  const hint = names.length > 0 ? `there are: ${names.join(', ')}` : 'name the file that has it: spec.kubeconfig';
  return { ...shared, stale: false, problem: { message: `there is no context ${context} in ${where}`, hint } };
}

/** kubectl writes out what a credential plugin left unsaid. */
function withoutDefaults(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const said = Object.entries(value).filter(
    ([key, one]) => one !== null && one !== false && !(key === 'interactiveMode' && one === 'IfAvailable'),
  );
  return Object.fromEntries(said.map(([key, one]) => [key, withoutDefaults(one)]));
}

async function readAll(files: readonly string[]): Promise<Kubeconfig[]> {
  const configs = files.map(async (file) => {
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? [] : [parseKubeconfig(file, text)];
  });
  return (await Promise.all(configs)).flat();
}

/** Undefined when there is no such context. @throws Error when what it refers to is missing */
async function flatten(configs: readonly Kubeconfig[], context: string): Promise<FlatContext | undefined> {
  const find = (section: Section, name: unknown) => {
    const found = configs.flatMap((config) => listEntries(config, section).map((entry) => ({ config, ...entry })));
    return found.find((entry) => entry.name === name);
  };
  const named = find('contexts', context);
  if (!named) return undefined;
  const cluster = find('clusters', named.body.get('cluster'));
  const user = find('users', named.body.get('user'));
  const server = cluster?.body.get('server');
  if (!cluster || typeof server !== 'string') throw new Error('it names no cluster with a server');
  const ca = readCa(cluster.config, cluster.body);
  return {
    server,
    ...(ca !== undefined && { ca }),
    cluster: await inline(cluster.config.file, readFields(cluster.config, cluster.body)),
    user: user ? await inline(user.config.file, readFields(user.config, user.body)) : {},
  };
}

const FILES = ['certificate-authority', 'client-certificate', 'client-key'];

/** With the content of files in the place of their names, as `kubectl config view --flatten` has it. */
async function inline(file: string, fields: Fields): Promise<Fields> {
  const inlined = Object.entries(fields).map(async ([key, value]) => {
    if (typeof value !== 'string') return [key, value] as const;
    const path = resolve(dirname(file), value);
    if (FILES.includes(key)) return [`${key}-data`, (await readFile(path)).toString('base64')] as const;
    return [key, key === 'tokenFile' ? path : value] as const;
  });
  return Object.fromEntries(await Promise.all(inlined));
}

const toKubeconfig = (name: string, { cluster, user }: FlatContext) => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name, cluster }],
  contexts: [{ name, context: { cluster: name, user: name } }],
  'current-context': name,
  users: [{ name, user }],
});
