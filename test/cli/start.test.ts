/** What the build keeps of V8's work only saves time: without it, all is the same. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'lab-start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const plan = (cli: string, ...flags: string[]) => {
  const argv = [...flags, cli, 'create', resolve('clusters'), '--dryrun', '-o', 'name'];
  const env = { PATH: folder, HOME: folder };
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', env });
  return { status, stdout, stderr };
};

it('is the same where V8 refuses what was kept, and where nothing was', () => {
  const [cache] = readdirSync('dist').filter((name) => name.endsWith('.cache'));
  expect(cache).toBe(`main-${process.version}-${process.arch}.cache`);
  const usual = plan(resolve('dist/cli.js'));
  expect(usual).toMatchObject({ status: 0, stdout: expect.stringContaining('smiley') });
  // Other flags make other code.
  expect(plan(resolve('dist/cli.js'), '--no-opt')).toEqual(usual);
  const filter = (path: string) => !path.endsWith('.cache');
  cpSync('dist', join(folder, 'dist'), { recursive: true, filter });
  expect(plan(join(folder, 'dist/cli.js'))).toEqual(usual);
});
