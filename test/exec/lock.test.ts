import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LockedError } from '../../src/errors.ts';
import { acquireLock } from '../../src/exec/lock.ts';
import { identifySelf } from '../../src/exec/process-identity.ts';
import { bundle, exited, firstWords, makeTemporaryDirectory, start } from './real-process.ts';

const options = { name: 'lab practical', verb: 'create' };

/** Takes the lock, says so, and keeps it for the given time. */
const HOLDER = `import { acquireLock } from '../../src/exec/lock.ts';
  acquireLock(process.argv[2], { name: 'lab practical', verb: 'create' }).then((lock) => {
    console.log('held');
    setTimeout(() => lock.release(), Number(process.argv[3]));
  });`;

/** Takes and gives back the lock many times; a counter that is not atomic shows whether ever two held it. */
const COUNTER = `import { readFileSync, writeFileSync } from 'node:fs';
  import { acquireLock } from '../../src/exec/lock.ts';
  const [, , path, counter, times] = process.argv;
  (async () => {
    for (let i = 0; i < Number(times); i++) {
      for (;;) {
        const lock = await acquireLock(path, { name: 'x', verb: 'create' }).catch(() => undefined);
        if (lock === undefined) { await new Promise((done) => setTimeout(done, 1)); continue; }
        const count = Number(readFileSync(counter, 'utf8'));
        if (Math.random() < 0.2) await new Promise((done) => setTimeout(done, 1));
        writeFileSync(counter, String(count + 1));
        // Dying is also a way to give it back.
        if (i === Number(times) - 1) process.kill(process.pid, 'SIGKILL');
        lock.release();
        break;
      }
    }
  })();`;

const forge = (path: string, more: object): void =>
  writeFileSync(
    path,
    JSON.stringify({ identity: { ...identifySelf(), ...more }, verb: 'create', since: new Date().toISOString() }),
  );

describe('acquireLock', () => {
  it('is exclusive, and leaves nothing behind', async () => {
    const dir = makeTemporaryDirectory();
    const path = join(dir, 'lock');
    const lock = await acquireLock(path, options);
    const second = await acquireLock(path, options).catch((error: unknown) => error);
    expect(second).toBeInstanceOf(LockedError);
    expect(second).toMatchObject({
      exitCode: 4,
      message: expect.stringMatching(
        new RegExp(
          `^another run holds the lock of lab practical: pid ${process.pid}, lab create, since \\d\\d:\\d\\d:\\d\\d$`,
        ),
      ),
      hint: expect.stringContaining('--wait=5m'),
    });
    lock.release();
    lock.release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('waits for another process, and tells so once', async () => {
    const dir = makeTemporaryDirectory();
    const path = join(dir, 'lock');
    const child = start(bundle(dir, HOLDER), path, '700');
    await firstWords(child);
    const told: string[] = [];
    await expect(acquireLock(path, options)).rejects.toThrow(`pid ${child.pid}, lab create`);
    const lock = await acquireLock(path, { ...options, wait: 10, onWait: (message) => told.push(message) });
    expect(told).toHaveLength(1);
    lock.release();
  });

  it('stops waiting at the deadline', async () => {
    const path = join(makeTemporaryDirectory(), 'lock');
    const lock = await acquireLock(path, options);
    await expect(acquireLock(path, { ...options, wait: 0.3 })).rejects.toThrow(LockedError);
    lock.release();
  });

  it('is free at once when its holder was killed', async () => {
    const dir = makeTemporaryDirectory();
    const path = join(dir, 'lock');
    const child = start(bundle(dir, HOLDER), path, '60000');
    await firstWords(child);
    child.kill('SIGKILL');
    await exited(child);
    const lock = await acquireLock(path, options);
    lock.release();
    expect(existsSync(path)).toBe(false);
  });

  it.each([{ startedAt: '1' }, { bootId: 'before the restart' }])(
    'is not held by another process of the same number, and says who had it: %j',
    async (more) => {
      const path = join(makeTemporaryDirectory(), 'lock');
      forge(path, more);
      const said: string[] = [];
      (await acquireLock(path, { ...options, onTakeOver: (message) => said.push(message) })).release();
      expect(said).toEqual([
        expect.stringMatching(
          `^took over the lock of lab practical from a run that died: pid ${process.pid}, lab create, since [\\d:]+$`,
        ),
      ]);
    },
  );

  it('is held by a process of another machine', async () => {
    const path = join(makeTemporaryDirectory(), 'lock');
    forge(path, { host: 'other' });
    await expect(acquireLock(path, options)).rejects.toThrow(`pid ${process.pid} on other`);
  });

  it('takes a broken file that nobody writes any more', async () => {
    const path = join(makeTemporaryDirectory(), 'lock');
    writeFileSync(path, '{"identity":');
    await expect(acquireLock(path, options)).rejects.toThrow('its file cannot be read');
    utimesSync(path, new Date(Date.now() - 6000), new Date(Date.now() - 6000));
    (await acquireLock(path, options)).release();
  });

  it('goes on when a process died while it took over', async () => {
    const dir = makeTemporaryDirectory();
    const path = join(dir, 'lock');
    const died = new Set<string>();
    forge(path, { startedAt: '1' });
    // The right to take over is left behind by a dead taker, twice.
    for (let round = 0; round < 2; round++) {
      const { createHash } = await import('node:crypto');
      const last = [path, ...died].at(-1) ?? path;
      const right = `${last}.${createHash('sha256').update(readFileSync(last)).digest('hex').slice(0, 16)}`;
      forge(right, { startedAt: String(round + 2) });
      died.add(right);
    }
    (await acquireLock(path, options)).release();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('never has two holders, though holders die', async () => {
    const dir = makeTemporaryDirectory();
    const [path, counter] = [join(dir, 'lock'), join(dir, 'counter')];
    writeFileSync(counter, '0');
    forge(path, { startedAt: '1' });
    const program = bundle(dir, COUNTER);
    const children = Array.from({ length: 6 }, () => start(program, path, counter, '40'));
    await Promise.all(children.map(exited));
    expect(readFileSync(counter, 'utf8')).toBe('240');
  }, 30_000);

  it('does not give back what is no longer ours', async () => {
    const path = join(makeTemporaryDirectory(), 'lock');
    const lock = await acquireLock(path, options);
    forge(path, {});
    lock.release();
    expect(existsSync(path)).toBe(true);
  });

  it('says why it cannot lock', async () => {
    const path = join(makeTemporaryDirectory(), 'none', 'lock');
    await expect(acquireLock(path, options)).rejects.toThrow(`cannot lock ${path}: ENOENT`);
  });
});
