/** Linkerd and links as they are typed, before stubs that remember what was applied. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { changes } from '../stubs/call.ts';
import { created, expectCode, specs, type World } from './machine.ts';

const MESH = '{mesh: linkerd, groups: {face: {mode: flat}}}';
const two = (lab = MESH) => specs({ a: '{group: face}', b: '{group: face}' }, lab);

async function meshed(lab?: string): Promise<World> {
  const world = await created(two(lab));
  world.install('linkerd');
  expectCode(await world.lab('linkerd'), 0);
  return world;
}

const linesOf = (calls: readonly { program: string; argv: readonly string[] }[]) =>
  calls.map(({ program, argv }) => [program, ...argv].join(' '));

describe('lab linkerd', () => {
  it('makes certificates, installs, and changes nothing a second time', async () => {
    const world = await meshed();
    const calls = linesOf(world.changes());
    expect(calls.filter((line) => line.includes('-f https://github.com/kubernetes-sigs/gateway-api/'))).toHaveLength(2);
    const again = await world.during(async () => expectCode(await world.lab('linkerd'), 0));
    expect(linesOf(again.filter(changes))).toEqual([]);
    const { stdout } = await world.lab('status', '-o', 'json');
    const rows = JSON.parse(stdout).filter(({ thing }: { thing: string }) => thing === 'linkerd');
    expect(rows).toMatchObject([
      { cluster: 'a', result: 'ok', have: 'edge-26.8.3' },
      { cluster: 'b', result: 'ok' },
    ]);
  });

  it('runs only commands that its dry run printed', async () => {
    const world = await created(two());
    world.install('linkerd');
    const printed = await world.lab('linkerd', '--dryrun', '-o', 'json');
    expectCode(printed, 0);
    const { steps } = JSON.parse(printed.stdout) as { steps: { kind: string; argv?: unknown[] }[] };
    const verbs = new Set(steps.flatMap(({ kind, argv }) => (kind === 'run' ? [JSON.stringify(argv?.slice(3))] : [])));
    const calls = await world.during(async () => expectCode(await world.lab('linkerd'), 0));
    for (const { argv } of calls.filter(changes)) expect(verbs).toContain(JSON.stringify(argv.slice(2)));
  });

  it('upgrades where an issuer was changed, and only there', async () => {
    const world = await meshed();
    expectCode(await world.lab('certs', 'a', '--rotate', 'issuer'), 0);
    const calls = linesOf(await world.during(async () => expectCode(await world.lab('linkerd'), 0)));
    expect(calls.some((line) => /linkerd --kubeconfig \S+\/a.yaml upgrade --identity/.test(line))).toBe(true);
    expect(calls.filter((line) => line.startsWith('kubectl') && line.includes('/b.yaml'))).toEqual([]);
  });

  it('applies nothing that was not rendered whole, and goes on elsewhere', async () => {
    const world = await created(two());
    world.install('linkerd');
    const run = await world.start(['linkerd'], {
      FAULT: 'linkerd:install:a:exit1=Error: it broke\nUsage:\n  linkerd install',
    }).done;
    expectCode(run, 1);
    expect(run.stderr).toMatch(/a: could not render [\s\S]*Error: it broke/);
    expect(run.stderr).not.toContain('Usage:');
    expect(world.store.read('applied', 'a:StubControlPlane')).toBeUndefined();
    expect(world.store.read('applied', 'b:StubExtension')).toBeDefined();
    expectCode(await world.lab('linkerd'), 0);
  });

  it('names the CLI that is missing, and where it comes from', async () => {
    const world = await created(two());
    const run = await world.lab('linkerd');
    expectCode(run, 3);
    expect(run.stderr).toMatch(/linkerd is not here\n +Linkerd edge-25.4.4 \(2.18\) or newer: /);
  });

  it('says before anything is changed which variable has no value', async () => {
    const world = await created(two('{mesh: {env: [LICENSE]}}'));
    world.install('linkerd');
    const run = await world.lab('linkerd');
    expectCode(run, 3);
    expect(run.stderr).toContain('LICENSE is not set, which linkerd of a is to be given (mesh.env)');
    expect(world.store.read('applied', 'a:StubControlPlane')).toBeUndefined();
    expectCode(await world.start(['linkerd'], { LICENSE: 'words' }).done, 0);
  });

  it('gives the CLI its variables, and shows them to nobody', async () => {
    const world = await created(two('{mesh: {env: {LICENSE: s3cret-words}}}'));
    world.install('linkerd');
    const texts = [];
    for (const format of ['text', 'wide', 'json', 'script'])
      texts.push((await world.lab('linkerd', '--dryrun', '-o', format)).stdout);
    const run = await world.lab('linkerd', '-o', 'json');
    expectCode(run, 0);
    expect(world.store.read('applied', 'a:StubControlPlane')).toMatchObject({ license: 's3cret-words' });
    expect([...texts, run.stdout, run.stderr].join()).not.toContain('s3cret-words');
    expect(texts.at(-1)).toMatch(/export LICENSE="\$\{LICENSE:\?is needed}"/);
    const found = execFileSync('sh', ['-c', `grep -rl s3cret-words "$1" || true`, 'sh', world.stateHome], {
      encoding: 'utf8',
    });
    expect(found).toBe('');
  });
});

describe('lab link', () => {
  it('links a group both ways, and changes nothing a second time', async () => {
    const world = await meshed();
    expectCode(await world.lab('link'), 0);
    expect(world.store.read('applied', 'a:StubLink/b')).toMatchObject({
      server: expect.stringMatching(/^https:\/\/[\d.]+:6443$/),
      gateway: false,
    });
    expect(world.store.read('applied', 'b:StubLink/a')).toBeDefined();
    const again = await world.during(async () => expectCode(await world.lab('link'), 0));
    expect(linesOf(again.filter(changes))).toEqual([]);
    const { stdout } = await world.lab('status', '-o', 'json');
    const rows = JSON.parse(stdout).filter(({ thing }: { thing: string }) => thing === 'links');
    expect(rows).toMatchObject([
      { cluster: 'a', result: 'ok', have: 'b (flat)' },
      { cluster: 'b', result: 'ok', have: 'a (flat)' },
    ]);
  });

  it('takes links away that nobody asks for any more', async () => {
    const world = await meshed();
    expectCode(await world.lab('link'), 0);
    world.write('clusters/lab.yaml', 'kind: Lab\nspec: {mesh: linkerd, groups: {face: {mode: routes-only}}}\n');
    expectCode(await world.lab('link'), 0);
    expect(world.store.keys('applied').filter((key) => key.includes('StubLink'))).toEqual([]);
  });

  it('leaves no link behind to a cluster that is deleted', async () => {
    const world = await meshed();
    expectCode(await world.lab('group'), 0);
    expectCode(await world.lab('delete', 'b'), 0);
    expect(world.store.read('applied', 'a:StubLink/b')).toBeUndefined();
  });

  it('refuses half an edge, and clusters without Linkerd', async () => {
    const world = await created(two());
    world.install('linkerd');
    const half = await world.lab('link', '--src', 'a');
    expectCode(half, 2);
    expect(half.stderr).toContain('a link needs both --src and --dst');
    const bare = await world.lab('link');
    expectCode(bare, 3);
    expect(bare.stderr).toMatch(/no Linkerd in a, b\n +lab linkerd clusters a b/);
  });
});
