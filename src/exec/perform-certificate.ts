import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FailedError } from '../errors.ts';
import type { CertificateAction, KeyPairFiles, Value } from '../step/step.ts';
import { certificateBlocks } from '../tools/pem.ts';
import { ensurePrivateDirectory, writeFileAtomically } from './atomic-file.ts';

type Make = Extract<CertificateAction, { readonly do: 'make' }>;

/**
 * Does what a certificate step says. Keys are read and written here, and nothing of them is returned or thrown.
 * @returns why it was not needed, if so
 * @throws FailedError for a file that cannot be read or written, or a key that cannot sign
 */
export async function performCertificate(
  action: CertificateAction,
  pathOf: (value: Value) => string,
): Promise<string | undefined> {
  switch (action.do) {
    case 'make':
      return make(action, pathOf);
    case 'bundle': {
      const parts = await Promise.all(action.from.map((file) => readPart(pathOf(file))));
      const blocks = [...new Set(parts.flatMap(certificateBlocks))];
      await write(pathOf(action.to), `${blocks.join('\n')}\n`, 0o644);
      return undefined;
    }
    case 'move': {
      // The key first: a certificate without its key is seen, and this is repeated.
      for (const part of ['key', 'certificate'] as const) {
        const from = pathOf(action.from[part]);
        if (existsSync(from)) await rename(from, pathOf(action.to[part]));
      }
      return undefined;
    }
    case 'remove':
      for (const file of action.files) await rm(pathOf(file), { force: true });
      return undefined;
  }
}

async function make(action: Make, pathOf: (value: Value) => string): Promise<string | undefined> {
  const { name, seconds, pathLength, signer, replaces } = action;
  const files = { certificate: pathOf(action.files.certificate), key: pathOf(action.files.key) };
  if (!replaces && existsSync(files.certificate)) return `${files.certificate} is there already`;
  const { makeKeyPair } = await import('./sign-certificate.ts');
  const made = await makeKeyPair({ name, seconds, pathLength, signer: signer && (await readSigner(signer, pathOf)) });
  // A key without a certificate is made anew by the next run; the other way round it would be missed.
  await write(files.key, made.key, 0o600);
  await write(files.certificate, made.certificate, 0o644);
  return undefined;
}

async function readSigner({ certificate, key }: KeyPairFiles, pathOf: (value: Value) => string) {
  const [first] = certificateBlocks(await readPart(pathOf(certificate)));
  if (first === undefined) throw new FailedError(`${pathOf(certificate)} holds no certificate`);
  return { certificate: first, key: await readPart(pathOf(key)) };
}

async function readPart(path: string): Promise<string> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    throw new FailedError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

async function write(path: string, content: string, mode: number): Promise<void> {
  await ensurePrivateDirectory(dirname(path));
  await writeFileAtomically(path, content, { mode });
}
