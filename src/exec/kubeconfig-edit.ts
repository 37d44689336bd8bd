import { isDeepStrictEqual } from 'node:util';
import type { YAMLMap } from 'yaml';
import { InputError, type Problem } from '../errors.ts';
import { findEntry, type Kubeconfig, listEntries, removeEntry, setEntry } from './kubeconfig-document.ts';
import { type Fields, readFields, readFingerprint, readOwner, setMark } from './kubeconfig-entry.ts';
import { BODIES, type Section } from './kubeconfig-shape.ts';

/** Of these an entry may have one kind or the other; what the new one lacks has to go. */
const CREDENTIALS = [
  ...['certificate-authority', 'certificate-authority-data', 'insecure-skip-tls-verify', 'tls-server-name'],
  ...['client-certificate', 'client-certificate-data', 'client-key', 'client-key-data'],
  ...['token', 'tokenFile', 'username', 'password', 'exec', 'auth-provider'],
];

/** What a private kubeconfig says about its one cluster. */
interface Access {
  readonly cluster: { readonly name: string; readonly fields: Fields };
  readonly user: { readonly name: string; readonly fields: Fields };
  /** Tells the cluster from any other. */
  readonly fingerprint: string | undefined;
}

interface Merge {
  readonly access: Access;
  readonly contexts: readonly string[];
  readonly uid: string;
  readonly cluster: string;
}

/**
 * Finds the cluster and the user of the current, or else the first, context.
 *
 * @throws InputError when there is none.
 */
export function readAccess(config: Kubeconfig): Access {
  const current = findEntry(config, 'contexts', config.document.get('current-context'));
  const context = (current ?? listEntries(config, 'contexts')[0])?.body;
  const cluster = findEntry(config, 'clusters', context?.get('cluster'));
  const user = findEntry(config, 'users', context?.get('user'));
  if (!cluster || !user) throw new InputError([{ at: config.file, message: 'no context with a cluster and a user' }]);
  return {
    cluster: { name: cluster.name, fields: readFields(config, cluster.body) },
    user: { name: user.name, fields: readFields(config, user.body) },
    fingerprint: readFingerprint(config, cluster.body),
  };
}

/**
 * Puts a cluster's entries in.
 *
 * @throws InputError when one of these names belongs to something else.
 */
export function merge(config: Kubeconfig, request: Merge): void {
  const problems = findConflicts(config, request);
  if (problems.length > 0) throw new InputError(problems);
  const { cluster, user } = request.access;
  const put = (section: Section, name: string, fields: Fields, exclusive: readonly string[]) => {
    const body = setEntry(config, section, name, fields);
    for (const key of exclusive) if (!(key in fields)) body.delete(key);
    setMark(config, body, { uid: request.uid, cluster: request.cluster });
  };
  put('clusters', cluster.name, cluster.fields, CREDENTIALS);
  put('users', user.name, user.fields, CREDENTIALS);
  for (const name of request.contexts) put('contexts', name, { cluster: cluster.name, user: user.name }, []);
}

/** Takes out those of the contexts that carry the mark, and the marked clusters and users that only they referred to. */
export function remove(config: Kubeconfig, contexts: readonly string[], uid: string): void {
  const isOurs = ({ body }: { body: YAMLMap }) => readOwner(config, body) === uid;
  const gone = listEntries(config, 'contexts').filter((entry) => contexts.includes(entry.name) && isOurs(entry));
  for (const { node } of gone) removeEntry(config, 'contexts', node);
  const left = listEntries(config, 'contexts');
  const current = config.document.get('current-context');
  const isNamed = (entries: typeof left) => entries.some(({ name }) => name === current);
  if (isNamed(gone) && !isNamed(left)) config.document.set('current-context', '');
  for (const section of ['clusters', 'users'] as const) {
    const key = BODIES[section];
    const unused = listEntries(config, section).filter(
      ({ name }) => gone.some(({ body }) => body.get(key) === name) && !left.some(({ body }) => body.get(key) === name),
    );
    for (const entry of unused.filter(isOurs)) removeEntry(config, section, entry.node);
  }
}

function findConflicts(config: Kubeconfig, request: Merge): Problem[] {
  const { access, contexts, uid } = request;
  const isSame = (name: unknown): boolean => {
    const cluster = findEntry(config, 'clusters', name);
    return cluster !== undefined && readFingerprint(config, cluster.body) === access.fingerprint;
  };
  const problems: Problem[] = [];
  const claim = (section: Section, name: string, isFree: (body: YAMLMap) => boolean) => {
    const entry = findEntry(config, section, name);
    if (entry === undefined || readOwner(config, entry.body) === uid || isFree(entry.body)) return;
    const hint = 'rename it there, or use another file: --kubeconfig FILE';
    problems.push({
      at: config.locate(entry.node),
      message: `${BODIES[section]} "${name}" in ${config.file} is not this lab's`,
      hint,
    });
  };
  for (const name of contexts) claim('contexts', name, (body) => isSame(body.get('cluster')));
  claim('clusters', access.cluster.name, () => isSame(access.cluster.name));
  claim('users', access.user.name, (body) => {
    const users = listEntries(config, 'contexts').filter((context) => context.body.get('user') === access.user.name);
    return (
      isDeepStrictEqual(readFields(config, body), access.user.fields) ||
      users.every((context) => isSame(context.body.get('cluster')))
    );
  });
  return problems;
}
