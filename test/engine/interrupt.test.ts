import { afterAll, beforeAll, expect, it } from 'vitest';
import { cluster, describeOnEngine, EngineLab, finish, isChanging, run, until } from './engine.ts';

const nodes = (): string[] =>
  run('docker', ['ps', '--format', '{{.Names}}', '--filter', 'name=^li-'])
    .split('\n')
    .filter((name) => name !== '');
const creating = (): boolean => /kind create cluster --name li-/.test(run('ps', ['-eo', 'args']));

/** One lab through every kind of end: Ctrl-C, kill -9, and at last the whole way. */
describeOnEngine('an interrupted lab create', () => {
  let lab: EngineLab;

  beforeAll(() => {
    lab = new EngineLab({ 'a.yaml': cluster('li-a'), 'b.yaml': cluster('li-b', '{ipFamily: dual}') });
  });
  afterAll(() => lab?.remove());

  it('stops cleanly on Ctrl-C, with exit code 130 and nobody left running', async () => {
    const child = lab.start('create', lab.dir);
    const ended = finish(child);
    await until('both nodes run', 120, () => nodes().length === 2);
    child.kill('SIGINT');
    const { code, stderr } = await ended;
    expect(code).toBe(130);
    expect(stderr).toContain('the rest is made by: lab create');
    expect(creating()).toBe(false);
  });

  it('finishes after kill -9, without doing twice what still ran', async () => {
    const child = lab.start('create', lab.dir);
    const ended = finish(child);
    await until('kind makes them anew', 120, () => nodes().length === 2 && creating());
    child.kill('SIGKILL');
    await ended;
    expect(creating()).toBe(true);

    const again = await lab.lab('create', lab.dir);
    // Its kind is ended, unless it ended by itself: it does when it has something to say and nobody reads it.
    expect(creating()).toBe(false);
    expect(again.stderr).toContain('li-a: it never became ready, so it is made anew');
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^li-a .* ready/m);
    expect(again.stdout).toMatch(/^li-b .* ready/m);
  });

  it('has then nothing left to do', async () => {
    lab.takeCalls();
    const again = await lab.lab('create', lab.dir);
    expect(again.stderr).toContain('nothing to do');
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
  });
});
