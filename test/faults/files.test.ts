/** Files of the user and of `lab`, on disks that are full, behind links, with odd modes. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectCode, makeWorld, specs, type World } from '../cli/machine.ts';
import { bundle, makeTemporaryDirectory } from '../exec/real-process.ts';

const ONE = specs({ a: '{}' }, '{loadBalancer: {addon: none}}');

const USERS_OWN = (name: string) => `apiVersion: v1
kind: Config
clusters: [{name: ${name}, cluster: {server: "https://${name}"}}]
contexts: [{name: ${name}, context: {cluster: ${name}, user: ${name}}}]
users: [{name: ${name}, user: {token: mine}}]
current-context: ${name}
`;

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** Runs a shell line in a mount namespace of its own, in which `dir` is a disk of 64 KiB. */
const onSmallDisk = (dir: string, line: string) =>
  spawnSync(
    'unshare',
    ['--user', '--map-root-user', '--mount', 'sh', '-ec', `mount -t tmpfs -o size=64k none "${dir}"; ${line}`],
    {
      encoding: 'utf8',
    },
  );

const canMount = process.platform === 'linux' && onSmallDisk(makeTemporary(), 'true').status === 0;
if (!canMount) process.stderr.write('SKIPPED, visibly: a full disk needs unshare and tmpfs\n');

function makeTemporary(): string {
  return execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
}

describe('a full disk', () => {
  it.skipIf(!canMount)('leaves the old file byte for byte, no other beside it, and is named', () => {
    const dir = makeTemporaryDirectory();
    const disk = join(dir, 'disk');
    mkdirSync(disk);
    const program = bundle(
      dir,
      `import { writeFileAtomically } from '../../src/exec/atomic-file.ts';
      writeFileAtomically(process.argv[2], 'x'.repeat(200000), { mode: 0o600 }).catch((error) => console.log(error.message));`,
    );
    const file = join(disk, 'config');
    const { stdout, stderr } = onSmallDisk(
      disk,
      `echo old > ${file}; "${process.execPath}" ${program} ${file}; cat ${file}; ls -A ${disk}`,
    );
    expect({ stdout, stderr }).toEqual({
      stdout: `cannot write ${file}: ENOSPC, the disk is full\nold\nconfig\n`,
      stderr: '',
    });
  });
});

describe('the state directory', () => {
  it('is for its owner alone, whatever the umask is', async () => {
    const world = await makeWorld(ONE);
    const before = process.umask(0);
    const { done } = world.start(['create']);
    process.umask(before);
    expectCode(await done, 0);
    for (const name of readdirSync(world.stateHome, { recursive: true, encoding: 'utf8' })) {
      const path = join(world.stateHome, name);
      expect(`${name} ${modeOf(path)}`).toBe(`${name} ${statSync(path).isDirectory() ? '700' : '600'}`);
    }
    expect(modeOf(world.kubeconfig)).toBe('600');
  });

  it.each(['lab', 'lab/labs/UID', 'lab/labs/UID/kubeconfigs'])('is not written through a link at %s', async (place) => {
    const world = await makeWorld(ONE);
    const { uid } = JSON.parse((await world.lab('create', '--dryrun', '-o', 'json')).stdout).lab;
    const link = join(world.stateHome, place.replace('UID', uid));
    const elsewhere = join(world.root, 'elsewhere');
    mkdirSync(elsewhere);
    mkdirSync(join(link, '..'), { recursive: true });
    symlinkSync(elsewhere, link);
    const outcome = await world.lab('create');
    expectCode(outcome, 1);
    expect(outcome.stderr).toMatch(/^lab: .* is a link, not a directory\n {2}remove it and try again$/m);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(world.changes()).toEqual([]);
  });
});

describe('a kubeconfig', () => {
  it.each([0o644, 0o440, 0o400])('keeps its mode %o', async (mode) => {
    const world = await makeWorld(ONE);
    writeFileSync(world.kubeconfig, USERS_OWN('x'));
    chmodSync(world.kubeconfig, mode);
    expectCode(await world.lab('create'), 0);
    expect(modeOf(world.kubeconfig)).toBe(mode.toString(8));
    expect(readFileSync(world.kubeconfig, 'utf8')).toContain('name: kind-a');
  });

  it('of several is the first that is there, behind its link; the others stay as they are', async () => {
    const world = await makeWorld(ONE);
    const path = (name: string) => join(world.root, 'home', name);
    for (const name of ['target', 'last']) writeFileSync(path(name), USERS_OWN(name));
    symlinkSync('target', path('second'));
    const KUBECONFIG = ['first', 'second', 'last'].map(path).join(':');
    const run = async (...args: string[]) => expectCode(await world.start(args, { KUBECONFIG }).done, 0);
    await run('create');
    expect(readdirSync(join(world.root, 'home')).toSorted()).toEqual(['last', 'second', 'state', 'target']);
    expect(readFileSync(path('target'), 'utf8')).toMatch(/name: kind-a[\s\S]*current-context: target/);
    expect(readFileSync(path('last'), 'utf8')).toBe(USERS_OWN('last'));
    await run('delete', '--all');
    expect(readFileSync(path('target'), 'utf8')).not.toContain('kind-a');
  });
});

describe('a pipe', () => {
  const info = (world: World, line: string) =>
    spawnSync('bash', ['-o', 'pipefail', '-c', line], {
      cwd: world.root,
      encoding: 'utf8',
      env: {
        PATH: `${world.bin}:/usr/bin:/bin`,
        HOME: world.root,
        STUB_STATE: join(world.root, 'engine'),
        STUB_LOG: join(world.root, 'calls.jsonl'),
      },
    });

  it.each(['head -0', 'head -1', 'true'])('to %s is no failure', async (reader) => {
    const world = await makeWorld(ONE);
    const { status, stderr } = info(
      world,
      `"${process.execPath}" "${resolve('dist/cli.js')}" info -o json | ${reader}`,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
