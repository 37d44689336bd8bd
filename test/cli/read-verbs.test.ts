/** The verbs that only look. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { release } from 'node:os';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Preflight } from '../../src/plan/preflight.ts';
import { clusterText, created, expectCode, expectUntouched, makeWorld, messages, specs } from './machine.ts';

const TWO = specs({ a: '{zone: east, group: face}', b: '{ipFamily: dual}' });

describe('lab info', () => {
  it('prints the ranges of every cluster as JSON, planned or made', async () => {
    const world = await makeWorld(TWO);
    const planned = await world.lab('info', '-o', 'json');
    expectCode(planned, 0);
    expectUntouched(world);
    const range = expect.stringMatching(/^[\da-f.:]+\/\d+$/);
    expect(JSON.parse(planned.stdout)).toMatchObject([
      { name: 'a', state: 'planned', pods: [range], services: [range], loadBalancer: [range] },
      { name: 'b', state: 'planned', pods: [range, range], services: [range, range], loadBalancer: [range, range] },
    ]);
    expectCode(await world.lab('create'), 0);
    const made = JSON.parse((await world.lab('info', '-o', 'json')).stdout);
    for (const [index, { pods, services, loadBalancer }] of JSON.parse(planned.stdout).entries())
      expect(made[index]).toMatchObject({ state: 'ready', pods, services, loadBalancer });
    expect(made[0].nodes).toEqual([
      { name: 'a-control-plane', role: 'server', addresses: [expect.any(String), expect.any(String)] },
    ]);
    expect(made[0].endpoints).toEqual({
      host: expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
      clusters: [expect.stringMatching(/^https:\/\/[\d.]+:6443$/)],
    });
  });

  it('takes several names after a folder, and the last of a flag that is given twice', async () => {
    const files = Object.fromEntries(['a', 'b', 'c'].map((name) => [`labs/x/${name}.yaml`, clusterText(name)]));
    const world = await makeWorld(files);
    const { code, stdout } = await world.lab('info', 'labs/x', 'a', 'c', '-o', 'json', '-o', 'name');
    expect(stdout).toBe('cluster/a\ncluster/c\n');
    expect(code).toBe(0);
    expectCode(await world.lab('create', 'labs/x', 'a', 'b', '--dryrun', '--jobs', '0', '--jobs', '2'), 0);
  });

  it('says why each range was chosen', async () => {
    const world = await makeWorld(specs({ a: '{network: {pods: [10.7.0.0/16]}}' }));
    const { stdout } = await world.lab('info', '--why');
    expect(stdout).toMatch(/^a +pods +10\.7\.0\.0\/16 +pinned in clusters\/a\.yaml:4:/m);
    expect(stdout).toMatch(/^a +services +\S+ +first free \/16 of /m);
    expect(stdout).toMatch(
      /^a +load balancer +\S+ +16 addresses of Docker network lab-clusters, outside its ip-range/m,
    );
  });

  it('prints more with -o wide, names with -o name, YAML with -o yaml', async () => {
    const world = await created(TWO);
    const wide = (await world.lab('info', '-o', 'wide')).stdout;
    expect(wide).toMatch(/^NAME .* ZONE +FAMILY +NODES +FROM-HOST +FROM-CLUSTERS +CONTEXTS$/m);
    expect(wide).toMatch(/^a .* east .* a-control-plane=172\..* a,kind-a$/m);
    expect((await world.lab('info', '-o', 'name')).stdout).toBe('cluster/a\ncluster/b\n');
    expect((await world.lab('info', '-o', 'yaml')).stdout).toMatch(/^- name: a$/m);
  });

  it('shows a stopped cluster with the ranges that it keeps', async () => {
    const world = await created(TWO);
    const before = JSON.parse((await world.lab('info', '-o', 'json')).stdout);
    for (const node of world.store.list('containers'))
      world.store.write('containers', node.name, { ...node, running: false });
    const after = JSON.parse((await world.lab('info', '-o', 'json')).stdout);
    expect(after).toMatchObject([
      { state: 'stopped', pods: before[0].pods, loadBalancer: before[0].loadBalancer },
      { state: 'stopped', pods: before[1].pods, loadBalancer: before[1].loadBalancer },
    ]);
  });

  it('is quiet when its reader leaves', async () => {
    const world = await makeWorld(TWO);
    const { child, done } = world.start(['info', '-o', 'wide']);
    child.stdout?.destroy();
    const outcome = await done;
    expectCode(outcome, 0);
    expect(outcome.stderr).toBe('');
  });
});

describe('lab doctor', () => {
  it('counts what a create would take on this machine, and exits 3 when something fails', async () => {
    const world = await makeWorld(TWO);
    world.store.write('engine', 'engine', { id: 'ENGINE', kernel: release() });
    const outcome = await world.lab('doctor', '-o', 'json');
    const checks: readonly Preflight[] = JSON.parse(outcome.stdout);
    expectCode(outcome, checks.some(({ result }) => result === 'failed') ? 3 : 0);
    const names = checks.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['engine', 'addresses']));
    if (process.platform === 'linux') expect(names).toEqual(expect.arrayContaining(['inotify', 'memory', 'disk']));
    for (const { result, detail, hint } of checks) {
      expect(detail).toMatch(/\S/);
      expect(result === 'ok' || hint !== undefined, detail).toBe(true);
    }
    expectUntouched(world);
  });

  it('says nothing of this machine when the engine is on another', async () => {
    const world = await makeWorld(TWO);
    const outcome = await world.lab('doctor', '-o', 'json');
    expectCode(outcome, 0);
    const names = JSON.parse(outcome.stdout).map(({ name }: Preflight) => name);
    expect(names).toEqual(expect.arrayContaining(['engine', 'memory', 'addresses']));
    expect(names.filter((name: string) => name === 'inotify' || name === 'disk')).toEqual([]);
  });

  it('prints each failure with what to type', async () => {
    const world = await makeWorld(TWO);
    world.uninstall('docker');
    world.uninstall('kind');
    const outcome = await world.lab('doctor');
    expectCode(outcome, 3);
    expect(outcome.stdout).toMatch(
      /^engine +failed +docker is not on the PATH\ntools +failed +kind is not on the PATH$/m,
    );
    expect(outcome.stderr).toContain('docker is not on the PATH\n  install it: https://docs.docker.com');
    expect(outcome.stderr).toContain('kind is not on the PATH\n  install it: https://kind.sigs.k8s.io');
  });

  it('says of specs that contradict the machine each thing once', async () => {
    const world = await makeWorld(specs({ a: '{network: {pods: [172.17.0.0/16]}}' }));
    const outcome = await world.lab('doctor');
    expectCode(outcome, 3);
    const what = 'clusters/a.yaml:4:25: 172.17.0.0/16 is held by Docker network bridge';
    expect(outcome.stdout).toMatch(new RegExp(`^CHECK +RESULT +DETAIL\\nengine +ok .*\\nspecs +failed +${what}\\n$`));
    expect(outcome.stderr).toBe(`\n${what}\n  pin another range, or leave it to the planner\n`);
  });
});

describe('lab validate', () => {
  it('names the valid clusters, and looks at no machine', async () => {
    const world = await makeWorld(TWO);
    const outcome = await world.lab('validate', '-o', 'json');
    expectCode(outcome, 0);
    expect(JSON.parse(outcome.stdout)).toEqual({ lab: 'clusters', clusters: ['a', 'b'], problems: [] });
    expect((await world.lab('validate')).stdout).toBe('lab clusters: 2 clusters are valid (a, b)\n');
    expect(world.calls()).toEqual([]);
    expectUntouched(world);
  });

  it('tells every problem of every file at once', async () => {
    const world = await makeWorld(specs({ a: '{ipFamily: ipv5}', b: '{nods: {servers: 1}}' }));
    const outcome = await world.lab('validate');
    expectCode(outcome, 2);
    expect(messages(outcome.stderr)).toEqual([
      expect.stringMatching(/^clusters\/a\.yaml:4:\d+: /),
      expect.stringMatching(/^clusters\/b\.yaml:4:\d+: [\s\S]*nodes/),
    ]);
  });
});

describe('lab validate of wrong specs', () => {
  it('tells the same problems as data, with the same exit code', async () => {
    const world = await makeWorld(specs({ a: '{ipFamily: ipv5}', b: '{nods: {servers: 1}}' }));
    const outcome = await world.lab('validate', '-o', 'json');
    expectCode(outcome, 2);
    expect(outcome.stderr).toBe('');
    expect(JSON.parse(outcome.stdout)).toEqual({
      problems: [
        {
          at: expect.stringMatching(/^clusters\/a\.yaml:4:\d+$/),
          message: expect.stringContaining('ipFamily: expected'),
          hint: 'did you mean "ipv4"?',
        },
        {
          at: expect.stringMatching(/^clusters\/b\.yaml:4:\d+$/),
          message: 'unknown key "nods"',
          hint: 'did you mean "nodes"?',
        },
      ],
    });
    const unknown = await world.lab('validate', 'nowhere', '-o', 'json');
    expectCode(unknown, 2);
    expect(JSON.parse(unknown.stdout).problems).toHaveLength(2);
  });

  const crowded = '{ranges: {pods: {v4: 10.0.0.0/23}}}';

  it('tells what does not fit beside what cannot be read', async () => {
    const two = specs({ a: '{network: {nodeMask: 24}, nodes: {workers: 3}}', b: '{gruop: x}' }, crowded);
    const outcome = await (await makeWorld(two)).lab('validate');
    expectCode(outcome, 2);
    expect(messages(outcome.stderr)).toEqual([
      expect.stringContaining('unknown key "gruop"'),
      expect.stringMatching(/^\S+: no room for pods of 1 cluster: 10\.0\.0\.0\/23 has not enough/),
    ]);
  });

  it('is no judge of what fits while rules are broken, or lab.yaml cannot be read', async () => {
    const broken = specs({ a: '{k3d: {}, nodes: {workers: 3}}' }, crowded);
    expect(messages((await (await makeWorld(broken)).lab('validate')).stderr)).toHaveLength(1);
    const unread = { ...specs({ a: '{nodes: {workers: 3}}' }), 'clusters/lab.yaml': 'kind: Lab\nspec: {pools: 1}\n' };
    expect(messages((await (await makeWorld(unread)).lab('validate')).stderr)).toHaveLength(1);
  });

  it('takes a workload whose cluster cannot be read for what it is', async () => {
    const world = await makeWorld({
      ...specs({ a: '{gruop: x}' }),
      'clusters/w.yaml':
        'apiVersion: lab/v1alpha1\nkind: ExternalWorkload\nmetadata: {name: w}\nspec: {cluster: a, image: x, ports: [{port: 80}]}\n',
    });
    expect(messages((await world.lab('validate')).stderr)).toHaveLength(1);
  });
});

describe('lab schema', () => {
  it.each(['cluster', 'lab'] as const)('prints the published schema of a %s', async (kind) => {
    const world = await makeWorld();
    const { stdout } = await world.lab('schema', kind);
    expect(stdout).toBe(readFileSync(`schemas/${kind}.schema.json`, 'utf8'));
  });
});

describe('what needs no code', () => {
  it('is the version of the package', async () => {
    const world = await makeWorld();
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await world.lab('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  it.each(['--help', '-h'])('is %s, the same as the code says', async (flag) => {
    const world = await makeWorld();
    const { stdout } = await world.lab('help');
    expect(stdout).toContain('lab create');
    expect(await world.lab(flag)).toEqual({ code: 0, stdout, stderr: '' });
  });
});

describe('lab help VERB', () => {
  it.each(['create', 'up', 'schema', 'help'])('is that of %s', async (verb) => {
    const world = await makeWorld();
    const outcome = await world.lab('help', verb);
    expect(outcome).toEqual(await world.lab(verb, '--help'));
    expect(outcome.stdout).toMatch(verb === 'help' ? /^lab <verb>/ : new RegExp(`^lab ${verb}`));
    expect(outcome.code).toBe(0);
  });

  it('says of a verb that there is not that it is none', async () => {
    const world = await makeWorld();
    const outcome = await world.lab('help', 'creat');
    expectCode(outcome, 2);
    expect(outcome.stderr).toBe('command line: Did you mean create?\n  see: lab --help\n');
    expect((await world.lab('help', 'color', 'smiley')).code).toBe(2);
  });
});

describe('a pipe', () => {
  it('that closes early is no failure', () => {
    const command = `"${process.execPath}" "${resolve('dist/cli.js')}" schema lab | head -1`;
    const { stdout, stderr, status } = spawnSync('bash', ['-o', 'pipefail', '-c', command], { encoding: 'utf8' });
    expect({ stdout, stderr, status }).toEqual({ stdout: '{\n', stderr: '', status: 0 });
  });
});
