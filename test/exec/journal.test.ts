import { appendFileSync, readFileSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { FailedError } from '../../src/errors.ts';
import { type Begin, openJournal, readJournal } from '../../src/exec/journal.ts';
import { identifySelf } from '../../src/exec/process-identity.ts';
import { makeTemporaryDirectory } from './real-process.ts';

vi.mock('node:fs', async (load) => {
  const fs = await load<typeof import('node:fs')>();
  return { ...fs, writeSync: vi.fn(fs.writeSync) };
});

const identity = identifySelf();
const begin = (run: string): Begin => ({ run, verb: 'create', identity, plan: 'abc' });

describe('journal', () => {
  it('knows what a run was doing', async () => {
    const path = join(makeTemporaryDirectory(), 'journal.jsonl');
    const journal = await openJournal(path);
    journal.begin(begin('1'));
    journal.started({ run: '1', step: 'done', input: 'x', argv0: 'kind', pid: 41, identity });
    journal.started({ run: '1', step: 'again', input: 'x', pid: 42, identity: undefined });
    journal.started({ run: '1', step: 'again', input: 'x', pid: 43, identity });
    journal.finished({ run: '1', step: 'done', result: 'done' });
    journal.begin(begin('2'));
    journal.end({ run: '2', result: 'failed' });
    journal.close();
    expect(readJournal(path).unfinished).toMatchObject([
      {
        run: '1',
        verb: 'create',
        plan: 'abc',
        identity,
        started: [
          { step: 'again', input: 'x', pid: 42 },
          { pid: 43, identity },
        ],
      },
    ]);
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
  });

  it('is empty before the first run', () => {
    expect(readJournal(join(makeTemporaryDirectory(), 'none'))).toEqual({ unfinished: [] });
  });

  it('passes over a torn line, and does not append to it', async () => {
    const path = join(makeTemporaryDirectory(), 'journal.jsonl');
    const first = await openJournal(path);
    first.begin(begin('1'));
    first.close();
    appendFileSync(path, '{"type":"end","run":"1","res');
    expect(readJournal(path).unfinished).toHaveLength(1);
    const second = await openJournal(path);
    second.begin(begin('2'));
    second.close();
    expect(readJournal(path).unfinished.map(({ run }) => run)).toEqual(['1', '2']);
  });

  it.each([
    'null',
    '1',
    '{"type":"begin","run":"1"}',
    '{"type":"started","run":"1","step":"a","identity":{"pid":-1}}',
    '\0',
  ])('passes over %j', (line) => {
    const path = join(makeTemporaryDirectory(), 'journal.jsonl');
    writeFileSync(path, `${line}\n`);
    expect(readJournal(path)).toEqual({ unfinished: [] });
  });

  it('is shortened when it has grown, but forgets no unfinished step', async () => {
    const path = join(makeTemporaryDirectory(), 'journal.jsonl');
    const line = (entry: object) => `${JSON.stringify({ at: '', ...entry })}\n`;
    const noise = line({ type: 'end', run: 'old', result: 'x'.repeat(1000) }).repeat(1500);
    const open =
      line({ type: 'begin', ...begin('1') }) + line({ type: 'started', run: '1', step: 'a', pid: 42, identity });
    writeFileSync(path, open + noise);
    const journal = await openJournal(path);
    journal.end({ run: 'last', result: 'done' });
    journal.close();
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    expect(lines).toHaveLength(203);
    expect(lines.at(-1)).toContain('"last"');
    expect(readJournal(path).unfinished).toMatchObject([{ run: '1', started: [{ step: 'a' }] }]);
  });

  it('refuses a link, and names what it cannot open', async () => {
    const dir = makeTemporaryDirectory();
    symlinkSync('target', join(dir, 'link'));
    await expect(openJournal(join(dir, 'link'))).rejects.toThrow(/cannot use the journal .*link: E/);
    await expect(openJournal(join(dir, 'none', 'j'))).rejects.toThrow('ENOENT');
  });

  it('says when the disk is full, and goes on when there is room', async () => {
    const path = join(makeTemporaryDirectory(), 'journal.jsonl');
    const journal = await openJournal(path);
    vi.mocked(writeSync).mockImplementationOnce((file) => {
      appendFileSync(file, '{"type":"beg');
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    expect(() => journal.begin(begin('1'))).toThrow(new FailedError(`cannot use the journal ${path}: ENOSPC`));
    journal.begin(begin('2'));
    journal.close();
    expect(readJournal(path).unfinished).toMatchObject([{ run: '2' }]);
  });
});
