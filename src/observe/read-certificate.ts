import { createPrivateKey, type X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';
import type { FileFault, ObservedPair } from '../lab/certificates.ts';
import { readBounded } from '../spec/read-bounded.ts';
import { certificateBlocks } from '../tools/pem.ts';
import type { Parsed } from './parse-certificate.ts';

const MAX_BYTES = 1024 * 1024;

export interface ReadFile<T> {
  /** Absent when there is no such file, or it has a fault. */
  readonly found?: T;
  readonly faults: readonly FileFault[];
}

/** The certificates of a PEM file; `needed`: that there is none is a fault. */
export async function readCertificates(path: string, needed = false): Promise<ReadFile<Parsed[]>> {
  const text = readText(path, needed);
  if (text.found === undefined) return { faults: text.faults };
  const blocks = certificateBlocks(text.found);
  if (blocks.length === 0) {
    const hint = 'it has to hold -----BEGIN CERTIFICATE----- and so on; from DER: openssl x509 -inform der';
    return { faults: [{ path, message: 'not a certificate in PEM form', hint }] };
  }
  const { parseCertificate } = await import('./parse-certificate.ts');
  try {
    return { found: blocks.map(parseCertificate), faults: [] };
  } catch (error) {
    return { faults: [{ path, message: `not a certificate: ${error instanceof Error ? error.message : error}` }] };
  }
}

/** Whether the key of a PEM file is the certificate's. What it holds goes no further than this. */
export async function readKey(
  path: string,
  certificate: X509Certificate | undefined,
  { needed, ours }: { readonly needed: boolean; readonly ours: boolean },
): Promise<ReadFile<NonNullable<ObservedPair['key']>>> {
  const text = readText(path, needed);
  if (text.found === undefined) return { faults: text.faults };
  const faults: FileFault[] = [];
  // A key of the user's own may lie where a group administers it; ours may not.
  if (ours && (statSync(path).mode & 0o077) !== 0)
    faults.push({ path, message: 'a key that others can read', hint: `chmod 600 ${path}` });
  if (/^-----BEGIN ENCRYPTED |^Proc-Type:.*ENCRYPTED/m.test(text.found)) {
    const hint = `Linkerd reads none either; without its passphrase: openssl pkey -in ${path} -out NEW`;
    return { faults: [...faults, { path, message: 'an encrypted key', hint }] };
  }
  try {
    const key = createPrivateKey(text.found);
    return { found: { fits: certificate?.checkPrivateKey(key) ?? false }, faults };
  } catch {
    return { faults: [...faults, { path, message: 'not a private key in PEM form' }] };
  }
}

function readText(path: string, needed: boolean): ReadFile<string> {
  const read = readBounded(path, MAX_BYTES);
  if ('bytes' in read) return { found: read.bytes.toString('latin1'), faults: [] };
  return { faults: read.failure === 'no such file' && !needed ? [] : [{ path, message: read.failure }] };
}
