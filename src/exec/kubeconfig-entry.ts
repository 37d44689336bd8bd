/** What the body of a kubeconfig's entry says, and our mark on it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isMap, isSeq, type YAMLMap } from 'yaml';
import { createNode, type Kubeconfig, setFields, toPlain } from './kubeconfig-document.ts';

/** Our mark is an extension of this name: client-go keeps extensions for any program. */
const MARK = 'lab';

export type Fields = Readonly<Record<string, unknown>>;

/** The uid of the lab whose mark an entry carries. */
export function readOwner(config: Kubeconfig, body: YAMLMap): string | undefined {
  const extension = findMark(body)?.get('extension', true);
  const uid = (toPlain(config.document, extension) as { uid?: unknown } | null | undefined)?.uid;
  return typeof uid === 'string' ? uid : undefined;
}

/** SHA-256 of a cluster entry's CA, in hexadecimal. */
export function readCa(config: Kubeconfig, body: YAMLMap): string | undefined {
  const [data, path] = [body.get('certificate-authority-data'), body.get('certificate-authority')];
  try {
    const ca = typeof data === 'string' ? Buffer.from(data, 'base64') : undefined;
    const found = ca ?? (typeof path === 'string' ? readFileSync(resolve(dirname(config.file), path)) : undefined);
    return found && createHash('sha256').update(found).digest('hex');
  } catch {
    return undefined;
  }
}

/** A cluster without a CA of its own is known by its address. */
export function readFingerprint(config: Kubeconfig, body: YAMLMap): string | undefined {
  return readCa(config, body) ?? (body.get('server') as string | undefined);
}

/** What an entry holds, without anybody's marks. */
export function readFields({ document }: Kubeconfig, body: YAMLMap): Fields {
  const { extensions: _, ...fields } = toPlain(document, body) as Record<string, unknown>;
  return fields;
}

function findMark(body: YAMLMap): YAMLMap | undefined {
  const extensions = body.get('extensions');
  if (!isSeq(extensions)) return undefined;
  return extensions.items.filter(isMap).find((item) => item.get('name') === MARK);
}

/** Marks an entry as ours. */
export function setMark({ document }: Kubeconfig, body: YAMLMap, extension: object): void {
  const mark = findMark(body);
  const extensions = body.get('extensions');
  const entry = createNode(document, { extension, name: MARK });
  if (mark !== undefined) setFields(document, mark, { extension });
  else if (isSeq(extensions)) extensions.add(entry);
  else body.set('extensions', createNode(document, [entry]));
}
