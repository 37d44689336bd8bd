import { describe, expect, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.ts';
import type { Observed } from '../../src/lab/observed.ts';
import { planDelete } from '../../src/plan/plan-delete.ts';
import { planEdgeByHand, planLinks } from '../../src/plan/plan-mesh-verbs.ts';
import { resolve } from '../../src/plan/resolve.ts';
import type { Step } from '../../src/step/step.ts';
import { type ClusterWords, change, cluster, errorOf, lab, linkerd, UID } from './build-lab.ts';
import { linkTo, meshed, worldOf } from './mesh-world.ts';

const member = (name: string, words: ClusterWords = {}) => cluster(name, { group: 'face', mesh: linkerd, ...words });
const LAB = lab([member('a'), member('b')], { groups: { face: { mode: 'flat' } } });
const names = (of: Lab) => of.clusters.map(({ name }) => name);
const link = (of: Lab, world: Observed, only = names(of)) => planLinks(resolve(of, world), world, only);
const idsOf = ({ steps }: { readonly steps: readonly Step[] }) => steps.map(({ id }) => id);
const find = ({ steps }: { readonly steps: readonly Step[] }, id: string) => {
  const step = steps.find((one) => one.id === id);
  if (!step) throw new Error(`no step ${id} among ${steps.map((one) => one.id).join(', ')}`);
  return step;
};
/** Both clusters with Linkerd and both links, as finished runs leave them. */
const linked = (of = LAB): Observed => {
  const world = worldOf(of);
  return meshed(of, meshed(of, world, 'a', [linkTo(world, 'b')]), 'b', [linkTo(world, 'a')]);
};

describe('unlinking', () => {
  const alone = lab([member('a'), member('b')], { groups: { face: { mode: 'routes-only' } } });

  it('removes controller, Link, credentials, mirrors and rights by label when the edge is gone', () => {
    const steps = link(alone, linked()).steps.filter(({ id }) => id.startsWith('a/unlink/'));
    const lines = steps.map((step) => (step.kind === 'run' ? step.argv.slice(3).join(' ') : ''));
    expect(lines).toEqual([
      'delete deployment controller-b --cascade=foreground --namespace linkerd-multicluster --ignore-not-found',
      'delete links.multicluster.linkerd.io/b secret/cluster-credentials-b lease/service-mirror-write-b poddisruptionbudget/controller-b --namespace linkerd-multicluster --ignore-not-found',
      'delete secret cluster-credentials-b --namespace linkerd --ignore-not-found',
      'delete services,endpoints,serviceaccounts,roles,rolebindings --all-namespaces --selector mirror.linkerd.io/cluster-name=b',
      'delete clusterrolebindings --selector mirror.linkerd.io/cluster-name=b',
    ]);
    expect(steps.slice(1).every(({ needs }) => needs.length > 0)).toBe(true);
  });

  it('leaves what somebody else linked', () => {
    const world = linked();
    const foreign = meshed(alone, world, 'a', [linkTo(world, 'b', { owner: '' })]);
    expect(idsOf(link(alone, foreign)).filter((id) => id.startsWith('a/'))).toEqual([]);
  });

  it('takes the cluster out of federated services, and those away that nobody is left in', () => {
    const world = change(linked(), 'a', ({ api }) => {
      const extension = api?.linkerd?.extension;
      if (!api?.linkerd || !extension) return {};
      const federated = [
        { namespace: 'd', name: 'both-federated', members: ['both@b', 'both@c'], local: false },
        { namespace: 'd', name: 'own-federated', members: ['own@b'], local: true },
        { namespace: 'd', name: 'one-federated', members: ['one@b'], local: false },
        { namespace: 'd', name: 'other-federated', members: ['other@c'], local: false },
      ];
      return { api: { ...api, linkerd: { ...api.linkerd, extension: { ...extension, federated } } } };
    });
    const lines = link(alone, world).steps.flatMap((step) =>
      step.id.startsWith('a/unlink/b/d/') && step.kind === 'run' ? [step.argv.slice(3).join(' ')] : [],
    );
    expect(lines).toEqual([
      'annotate service both-federated --namespace d --overwrite multicluster.linkerd.io/remote-discovery=both@c',
      'annotate service own-federated --namespace d --overwrite multicluster.linkerd.io/remote-discovery-',
      'delete service one-federated --namespace d --ignore-not-found',
    ]);
  });

  it('happens when the other cluster is gone, and when it goes', () => {
    const world = linked();
    const without = { ...world, clusters: world.clusters.filter(({ name }) => name !== 'b') };
    expect(idsOf(link(LAB, without))).toContain('a/unlink/b');
    const deletion = planDelete(world, { lab: { name: 'practical', uid: UID }, names: ['b'], adopt: false });
    expect(idsOf(deletion)).toContain('a/unlink/b');
    const both = planDelete(world, { lab: { name: 'practical', uid: UID }, names: ['a', 'b'], adopt: false });
    expect(idsOf(both).some((id) => id.includes('unlink'))).toBe(false);
  });
});

describe('one link by hand', () => {
  const of = lab([
    member('a', { group: 'x' }),
    member('b', { group: 'y' }),
    cluster('c'),
    member('v6', { group: 'z', ipFamily: 'ipv6' }),
  ]);
  const world = meshed(of, meshed(of, worldOf(of), 'a'), 'b');
  const byHand = (edge: Partial<Parameters<typeof planEdgeByHand>[2]>, now = world, declared = of) =>
    planEdgeByHand(resolve(declared, now), now, { from: 'a', to: 'b', mode: 'gateway', remove: false, ...edge });

  it('is made, and noted so that it stays', () => {
    expect(find(byHand({}), 'a/link/b/note')).toMatchObject({
      argv: expect.arrayContaining([`lab/link={"uid":"${UID}","mode":"gateway","byHand":true}`]),
    });
    const gateway = ['172.28.40.1'];
    const there = meshed(of, world, 'b', [], { gateway });
    const made = meshed(of, there, 'a', [linkTo(there, 'b', { mode: 'gateway', byHand: true })]);
    expect(idsOf(link(of, made))).toEqual([]);
    expect(idsOf(byHand({ remove: true }, made))).toEqual(expect.arrayContaining(['a/unlink/b', 'b/gateway-remove']));
  });

  it.each([
    [{ to: 'nobody' }, /no cluster nobody in clusters/],
    [{ to: 'c' }, /c has no mesh/],
    [{ to: 'a' }, /a cannot be linked to itself/],
    [{ to: 'v6' }, /share no address family/],
  ])('is refused where it cannot be: %j', (edge, message) => {
    const { exitCode, text } = errorOf(() => byHand(edge));
    expect(exitCode).toBe(2);
    expect(text.join()).toMatch(message);
  });

  it('cannot contradict a spec', () => {
    const now = linked();
    expect(errorOf(() => byHand({}, now, LAB)).text.join()).toMatch(/group face asks for a flat link from a to b/);
    expect(errorOf(() => byHand({ remove: true }, now, LAB)).text.join()).toMatch(/asked for by group face/);
  });
});
