import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FailedError } from '../../src/errors.ts';
import { performCertificate } from '../../src/exec/perform-certificate.ts';
import type { CertificateAction, Value } from '../../src/step/step.ts';
import { makeCertificate } from '../mesh/authority.ts';
import { makeTemporaryDirectory } from './real-process.ts';

function stage() {
  const dir = makeTemporaryDirectory();
  const path = (name: string) => join(dir, 'certificates', name);
  const pathOf = (value: Value) =>
    typeof value === 'object' && 'file' in value ? join(dir, value.file) : String(value);
  return {
    path,
    read: (name: string) => readFileSync(path(name), 'utf8'),
    write: (name: string, text: string) => {
      mkdirSync(join(dir, 'certificates'), { recursive: true });
      writeFileSync(path(name), text);
    },
    perform: (action: CertificateAction) => performCertificate(action, pathOf),
  };
}

const file = (name: string) => ({ file: `certificates/${name}` });
const files = (name: string) => ({ certificate: file(`${name}.crt`), key: file(`${name}.key`) });
const make = (name: string, more: object = {}): CertificateAction => ({
  do: 'make',
  name: `${name}.test`,
  seconds: 1000,
  pathLength: 1,
  files: files(name),
  replaces: false,
  ...more,
});
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('make', () => {
  it('leaves a key that only its owner can read, in a directory that only its owner can enter', async () => {
    const mask = process.umask(0);
    onTestFinished(() => void process.umask(mask));
    const { perform, path } = stage();
    await perform(make('anchor'));
    expect([mode(path('')), mode(path('anchor.key')), mode(path('anchor.crt'))]).toEqual(['700', '600', '644']);
  });

  it('signs with the files that it is told', async () => {
    const { perform, read, write } = stage();
    const own = await makeCertificate();
    // People keep both in one file.
    write('own.crt', `${own.key}${own.certificate}`);
    write('own.key', own.key);
    await perform(make('issuer', { signer: files('own') }));
    expect(new X509Certificate(read('issuer.crt')).checkIssued(new X509Certificate(own.certificate))).toBe(true);
  });

  it('leaves alone what is there, unless it replaces', async () => {
    const { perform, read, path } = stage();
    await perform(make('a'));
    const [certificate, key] = [read('a.crt'), read('a.key')];
    expect(await perform(make('a'))).toBe(`${path('a.crt')} is there already`);
    expect([read('a.crt'), read('a.key')]).toEqual([certificate, key]);
    expect(await perform(make('a', { replaces: true }))).toBeUndefined();
    expect(read('a.crt')).not.toBe(certificate);
    expect(read('a.key')).not.toBe(key);
  });

  it('fails without what signs, or when it is another’s', async () => {
    const { perform, path, write } = stage();
    const [one, other] = [await makeCertificate(), await makeCertificate()];
    const sign = make('issuer', { signer: files('own') });
    await expect(perform(sign)).rejects.toThrow(new FailedError(`cannot read ${path('own.crt')}: ENOENT`));
    write('own.crt', other.certificate);
    await expect(perform(sign)).rejects.toThrow(new FailedError(`cannot read ${path('own.key')}: ENOENT`));
    write('own.key', one.key);
    await expect(perform(sign)).rejects.toThrow(new FailedError("the trust anchor's key is not its certificate's"));
    write('own.crt', 'words');
    await expect(perform(sign)).rejects.toThrow(new FailedError(`${path('own.crt')} holds no certificate`));
    expect(existsSync(path('issuer.key'))).toBe(false);
  });

  it('does not write through a link', async () => {
    const { perform, path, write } = stage();
    write('elsewhere', 'kept');
    symlinkSync(path('elsewhere'), path('a.key'));
    await expect(perform(make('a'))).rejects.toThrow('is a symbolic link');
  });
});

describe('bundle', () => {
  it('takes certificates, each once, and never a key', async () => {
    const { perform, read, write } = stage();
    const [one, other] = [await makeCertificate(), await makeCertificate()];
    write('bundle.crt', `words\n${one.certificate}`);
    write('other', `${other.key}\n${other.certificate}${one.certificate}`);
    await perform({ do: 'bundle', from: [file('bundle.crt'), file('other')], to: file('bundle.crt') });
    expect(read('bundle.crt')).toBe(`${one.certificate}${other.certificate}`);
  });
});

describe('move', () => {
  it('puts both in the place of others, and can be repeated after a kill in between', async () => {
    const { perform, path, read, write } = stage();
    for (const name of ['anchor.crt', 'anchor.key', 'next.crt', 'next.key']) write(name, name);
    const move = { do: 'move', from: files('next'), to: files('anchor') } as const;
    await perform(move);
    expect([read('anchor.crt'), read('anchor.key')]).toEqual(['next.crt', 'next.key']);
    expect([existsSync(path('next.crt')), existsSync(path('next.key'))]).toEqual([false, false]);
    write('next.crt', 'the key was moved already');
    await perform(move);
    expect([read('anchor.crt'), read('anchor.key')]).toEqual(['the key was moved already', 'next.key']);
  });
});

describe('remove', () => {
  it('takes files away that may not be there', async () => {
    const { perform, path, write } = stage();
    write('anchor.key', 'x');
    await perform({ do: 'remove', files: [file('anchor.key'), file('next.key')] });
    expect(existsSync(path('anchor.key'))).toBe(false);
  });
});
