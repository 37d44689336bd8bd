import { describe, expect, it } from 'vitest';
import { planDelete } from '../../src/plan/plan-delete.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { change, errorOf, foreign, lab, OTHER_UID, observed, UID, worldAfter } from './build-lab.ts';

const LAB = { name: 'practical', uid: UID };
const WORLD = worldAfter(resolve(lab(['a', 'b']), observed()));
const remove = (world = WORLD, names = ['a', 'b'], adopt = false) => planDelete(world, { lab: LAB, names, adopt });
const idsOf = (...args: Parameters<typeof remove>) => remove(...args).steps.map(({ id }) => id);

describe('a plan of delete', () => {
  it('removes nodes, contexts, and then the network', () => {
    const plan = remove();
    expect(plan.summary).toBe('Plan: 2 clusters to delete, 1 network to remove.');
    expect(plan.steps.map(({ id, needs }) => [id, ...needs])).toEqual([
      ['a/remove'],
      ['a/contexts', 'a/remove'],
      ['b/remove'],
      ['b/contexts', 'b/remove'],
      ['network/lab-practical', 'a/remove', 'a/contexts', 'b/remove', 'b/contexts'],
    ]);
    expect(plan.steps[0]).toMatchObject({
      argv: ['kind', 'delete', 'cluster', '--name', 'a', '--kubeconfig', { file: 'kubeconfigs/a.yaml' }],
    });
    expect(plan.steps[1]).toMatchObject({ action: 'remove', contexts: ['a', 'kind-a'], owner: UID });
    expect(plan.steps.at(-1)).toMatchObject({
      argv: ['docker', 'network', 'rm', 'lab-practical'],
      precondition: { expect: 'empty', otherwise: 'skip' },
    });
  });

  it('leaves the network while something that stays is on it', () => {
    expect(idsOf(WORLD, ['a'])).toEqual(['a/remove', 'a/contexts']);
    const guest = {
      ...WORLD,
      networks: WORLD.networks.map((one) =>
        one.name === 'lab-practical' ? { ...one, attached: [{ name: 'guest', addresses: [] }] } : one,
      ),
    };
    expect(idsOf(guest)).not.toContain('network/lab-practical');
    const stopped = {
      ...WORLD,
      clusters: [...WORLD.clusters, foreign('x', { nodes: WORLD.clusters[0]?.nodes ?? [] })],
    };
    expect(idsOf(stopped)).not.toContain('network/lab-practical');
  });

  it('leaves a network that is not ours', () => {
    const adopted = { ...WORLD, networks: WORLD.networks.map((one) => ({ ...one, labels: {} })) };
    expect(idsOf(adopted)).toEqual(['a/remove', 'a/contexts', 'b/remove', 'b/contexts']);
    expect(remove(adopted).summary).toBe('Plan: 2 clusters to delete, 0 networks to remove.');
  });

  it('takes away only contexts that carry the mark of the lab', () => {
    const owners = { a: undefined, 'kind-a': OTHER_UID } as Record<string, string | undefined>;
    const contexts = WORLD.contexts.flatMap(({ owner: _, ...one }) =>
      one.name in owners ? [{ ...one, ...(owners[one.name] && { owner: owners[one.name] as string }) }] : [],
    );
    expect(idsOf({ ...WORLD, contexts }, ['a'])).toEqual(['a/remove']);
  });

  it('takes away what is left of a cluster that is gone, and passes over what never was', () => {
    const gone = { ...WORLD, clusters: [] };
    expect(idsOf(gone, ['a', 'never'])).toEqual(['a/contexts', 'network/lab-practical']);
    expect(remove({ ...gone, contexts: [], networks: [] }, ['never'])).toMatchObject({
      steps: [],
      summary: 'Plan: 0 clusters to delete, 0 networks to remove.',
    });
  });

  it('refuses a cluster of somebody else, unless told to', () => {
    const theirs = change(WORLD, 'a', () => ({ owner: OTHER_UID }));
    const others = { ...theirs, clusters: [...theirs.clusters, foreign('x'), foreign('y', { owner: OTHER_UID })] };
    const hint = '(delete it all the same: --adopt)';
    expect(errorOf(() => remove(others, ['a', 'x', 'y']))).toMatchObject({
      exitCode: 2,
      text: [
        `command line: kind cluster a belongs to lab practical in /labs/practical/clusters ${hint}`,
        `command line: kind cluster x was not made by lab ${hint}`,
        `command line: kind cluster y belongs to another lab ${hint}`,
      ],
    });
    expect(idsOf(others, ['x'], true)).toEqual(['x/remove']);
  });

  it("keeps the user's kubeconfig out of k3d's sight", () => {
    const world = observed({ clusters: [foreign('cdn', { provider: 'k3d', owner: UID })] });
    expect(remove(world, ['cdn']).steps).toMatchObject([
      { argv: ['k3d', 'cluster', 'delete', 'cdn'], env: { KUBECONFIG: { file: 'kubeconfigs/cdn.yaml' } } },
    ]);
  });
});
