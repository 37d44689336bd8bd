import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { identify, identifySelf, isAlive, isIdentity, runsHere } from '../../src/exec/process-identity.ts';
import { eventually, makeTemporaryDirectory } from './real-process.ts';

describe('identify', () => {
  it('knows a process until it ends', async () => {
    const child = spawn('sleep', ['60']);
    const identity = identify(child.pid ?? 0);
    expect(identity && isAlive(identity)).toBe(true);
    child.kill('SIGKILL');
    await eventually(() => identity !== undefined && !isAlive(identity));
  });

  it('reads past spaces and parentheses in a name', () => {
    const program = join(makeTemporaryDirectory(), 'a) S 1 (b');
    copyFileSync(process.execPath, program);
    const child = spawn(program, ['-e', 'setTimeout(() => {}, 60000)']);
    onTestFinished(() => void child.kill('SIGKILL'));
    expect(identify(child.pid ?? 0)?.startedAt).toMatch(process.platform === 'linux' ? /^\d{3,}$/ : /\d{4}$/);
  });

  it('does not count a zombie', async () => {
    // It ends once its parent is a program that waits for nobody: a shell might.
    const parent = spawn('sh', ['-c', 'sleep 1 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const pid = await new Promise<number>((done) => parent.stdout.once('data', (text) => done(Number(text))));
    await eventually(() => identify(pid) === undefined);
    expect(() => process.kill(pid, 0)).not.toThrow();
  });

  it('knows nothing of a free number', () => {
    expect([identify(0), identify(-1), identify(2 ** 30)]).toEqual([undefined, undefined, undefined]);
  });

  it.skipIf(spawnSync('ps', ['-p', '1']).status !== 0)('asks ps where there is no /proc', () => {
    vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin');
    onTestFinished(() => void vi.restoreAllMocks());
    expect(identifySelf().startedAt).toMatch(/^\w{3} \w{3} \d+ \d\d:\d\d:\d\d \d{4}$/);
    expect(identify(2 ** 30)).toBeUndefined();
  });
});

describe('isAlive', () => {
  const self = identifySelf();

  it('tells a number that is used again, and one from before a restart', () => {
    expect(isAlive(self)).toBe(true);
    expect(isAlive({ ...self, startedAt: '1' })).toBe(false);
    expect(isAlive({ ...self, bootId: 'another' })).toBe(false);
  });

  it('believes in a process of another machine, which runs not here', () => {
    const elsewhere = { ...self, host: 'another', bootId: 'another' };
    expect([isAlive(elsewhere), runsHere(elsewhere)]).toEqual([true, false]);
  });

  it('knows this machine by its boot after it was given another name', () => {
    expect(isAlive({ ...self, host: 'renamed' })).toBe(true);
    expect(isAlive({ ...self, host: 'renamed', startedAt: 'another' })).toBe(false);
  });
});

describe('isIdentity', () => {
  it.each([
    [identifySelf(), true],
    [null, false],
    ['1', false],
    [{ ...identifySelf(), pid: 0 }, false],
    [{ ...identifySelf(), pid: 1.5 }, false],
    [{ ...identifySelf(), startedAt: 7 }, false],
  ])('%j: %s', (value, expected) => {
    expect(isIdentity(value)).toBe(expected);
  });
});
