import { describe, expect, it } from 'vitest';
import type { LinkerdState } from '../../src/lab/linkerd.ts';
import type { MeshSighting } from '../../src/lab/reach.ts';
import { planCleanup, planProbes } from '../../src/plan/plan-probes.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { judgeMesh, meshRequests } from '../../src/plan/verify-mesh.ts';
import { formatMesh } from '../../src/report/mesh-text.ts';
import { cluster, lab, linkerd } from './build-lab.ts';
import { linkTo, meshed, worldOf } from './mesh-world.ts';

const LAB = lab(
  [cluster('a', { group: 'face', mesh: linkerd }), cluster('b', { group: 'face', mesh: linkerd }), cluster('c')],
  { groups: { face: { mode: 'flat' } } },
);
const NOW = 1_800_000_000;
const TRUSTED = { anchors: ['anchor-1'], issuer: 'issuer', issuerSignedBy: ['anchor-1'], issuerUntil: NOW + 86_400 };
const identity = (name: string) => `${name}.lab-verify-mesh.serviceaccount.identity.linkerd.cluster.local`;
const SEEN: readonly MeshSighting[] = [
  { from: 'a', to: 'b', client: identity('a'), server: identity('b') },
  { from: 'b', to: 'a', client: identity('b'), server: identity('a') },
];

function judged(sightings: readonly MeshSighting[], b: Partial<Parameters<typeof meshed>[4]> = {}, links = true) {
  const world = worldOf(LAB);
  const one = meshed(LAB, world, 'a', links ? [linkTo(world, 'b')] : [], TRUSTED);
  const observed = meshed(LAB, one, 'b', [linkTo(world, 'a')], { ...TRUSTED, ...b });
  return judgeMesh({ desired: resolve(LAB, observed), observed, names: ['a', 'b', 'c'] }, sightings, NOW);
}
const wrong = (cells: ReturnType<typeof judged>) =>
  cells.flatMap(({ kind, from, result, reason }) => (result === 'ok' ? [] : [`${from.cluster} ${kind}: ${reason}`]));

describe('what is said of a mesh', () => {
  it('is all well where both ends trust the same, and both saw each other', () => {
    expect(wrong(judged(SEEN))).toEqual([]);
    expect(judged(SEEN)).toHaveLength(8);
  });

  it('is of the clusters that are there: a peer that nobody named may be missing, and Linkerd come later', () => {
    const bare = worldOf(LAB);
    const without = (gone: string) => ({ ...bare, clusters: bare.clusters.filter(({ name }) => name !== gone) });
    const judge = (observed: typeof bare, names: readonly string[]) =>
      judgeMesh({ desired: resolve(LAB, observed), observed, names }, [], NOW).map(
        ({ from, result, reason, repair }) => `${from.cluster}: ${result}, ${reason} (${repair})`,
      );
    const absent = (result: string) =>
      ['a', 'b'].map((from) => `${from}: ${result}, b does not exist (lab create clusters b)`);
    expect(judge(without('b'), ['a'])).toEqual(absent('unmeasured'));
    expect(judge(without('b'), ['a', 'b'])).toEqual(absent('failed'));
    const both = meshed(LAB, meshed(LAB, bare, 'a', [], TRUSTED), 'b', [], TRUSTED);
    const clusters = both.clusters.map((one) => {
      const { version: _, ...linkerdState } = one.api?.linkerd ?? {};
      return { ...one, ...(one.api && { api: { ...one.api, linkerd: linkerdState as LinkerdState } }) };
    });
    const noLinkerd = { ...both, clusters };
    expect(judge(noLinkerd, ['a', 'b'])[0]).toBe('a: unmeasured, neither has Linkerd yet (lab linkerd clusters a b)');
  });

  it('names anchors that differ, and an issuer that nobody on the other side trusts', () => {
    expect(wrong(judged(SEEN, { anchors: ['anchor-2'], issuerSignedBy: ['anchor-2'] }))).toEqual([
      'a anchors: a trusts anchor-1, b anchor-2',
      'a issuer: the issuer of b is signed by nobody whom a trusts',
      'b anchors: b trusts anchor-2, a anchor-1',
      'b issuer: the issuer of a is signed by nobody whom b trusts',
    ]);
  });

  it('names proxies that do not know yet who signs now, with what restarts them', () => {
    const outdated = [
      { pod: 'demo/web', anchors: ['anchor-0'] },
      { pod: 'demo/both', anchors: ['anchor-0', 'anchor-1'] },
    ];
    const cells = judged(SEEN, { outdated });
    expect(wrong(cells)).toEqual([
      'a anchors: demo/web of b still trust what they learned when they started',
      'b anchors: demo/web of b still trust what they learned when they started',
    ]);
    expect(cells.find(({ result }) => result === 'failed')?.repair).toBe(
      'restart them: kubectl --context b --namespace demo rollout restart deployment',
    );
    expect(formatMesh(cells, false)).toMatch(/^a +b +flat +failed +ok/m);
  });

  it('names an issuer that is not valid any more', () => {
    expect(wrong(judged(SEEN, { issuerUntil: NOW }))).toEqual([
      'a issuer: the issuer of b is not valid any more since 2027-01-15',
    ]);
  });

  it('names a link that is not there', () => {
    expect(wrong(judged(SEEN.slice(1), {}, false))).toEqual(['a link: a has no link to b']);
  });

  it('tells a wrong identity from what could not be measured', () => {
    const [one, other] = SEEN as readonly [MeshSighting, MeshSighting];
    const stranger = { ...one, server: 'default.other.serviceaccount.identity.linkerd.cluster.local' };
    const away: MeshSighting = { from: 'b', to: 'a', unmeasured: true, problem: 'the probe of a got no proxy' };
    const cells = judged([stranger, away]);
    expect(wrong(cells)).toEqual([
      `a request: expected ${identity('a')} → ${identity('b')}`,
      'b request: the probe of a got no proxy',
    ]);
    expect(cells.map(({ result }) => result).filter((result) => result !== 'ok')).toEqual(['failed', 'unmeasured']);
    expect(wrong(judged([{ ...one, problem: 'the request left without TLS (not_found)' }, other]))).toEqual([
      'a request: the request left without TLS (not_found)',
    ]);
  });
});

it('asks over every link that is there, by a service as its mode exports it', () => {
  const world = worldOf(LAB);
  const observed = meshed(LAB, meshed(LAB, world, 'a', [linkTo(world, 'b')]), 'b');
  expect(meshRequests(resolve(LAB, observed), observed, ['a', 'b', 'c'])).toEqual([
    { from: 'a', to: 'b', service: 'flat-b' },
  ]);
});

it('puts a probe into the mesh of linked clusters only, and takes it away again', () => {
  const desired = resolve(LAB, worldOf(LAB));
  const { steps } = planProbes(desired, ['a', 'c'], { imageOf: () => 'pause:3' });
  expect(steps.map(({ id }) => id).filter((id) => id.includes('mesh'))).toEqual(['a/mesh-probe', 'a/mesh-probe-ready']);
  // Linkerd's injector learns of a new namespace a moment later.
  const early =
    'admission webhook "linkerd-proxy-injector.linkerd.io" denied the request: namespaces "lab-verify" not found';
  for (const step of steps.filter(({ id }) => /probes?$/.test(id)))
    expect(step.kind === 'run' && step.retry?.on.some((pattern) => new RegExp(pattern).test(early))).toBe(true);
  const cleanup = planCleanup(desired, ['a', 'c']).steps.map((step) => step.kind === 'run' && step.argv.join(' '));
  expect(cleanup[0]).toContain('delete namespace lab-verify lab-verify-mesh');
  expect(cleanup[1]).not.toContain('lab-verify-mesh');
});

it('is a row a link, with what failed and what to type under it', () => {
  const text = formatMesh(judged(SEEN, { issuerUntil: NOW }), false);
  expect(text).toMatch(/a +b +flat +ok +failed +ok +ok\n/);
  expect(text).toMatch(/FAILED IN THE MESH\n {2}a → b, issuer: .*\n {4}lab linkerd clusters b$/);
  expect(formatMesh(judged(SEEN), true)).toContain(`${identity('a')} → ${identity('b')}`);
});
