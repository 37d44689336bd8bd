import { describe, expect, it } from 'vitest';
import type { ObservedCluster } from '../../src/lab/observed.ts';
import { diffForRepair } from '../../src/plan/diff.ts';
import { planRepair } from '../../src/plan/plan-repair.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { change, cluster, errorOf, lab, OTHER_UID, observed } from './build-lab.ts';
import { changesOf, kindsOf, scene } from './changes.ts';

describe('what a create refuses', () => {
  it('is a context of the same name that is not ours', () => {
    const file = '/home/me/.kube/config';
    for (const owner of [undefined, OTHER_UID]) {
      const context = { name: 'kind-a', file, ca: 'theirs', server: 'https://x', ...(owner && { owner }) };
      expect(errorOf(() => changesOf(lab(['a']), observed({ contexts: [context] })))).toMatchObject({
        exitCode: 2,
        text: [
          `${file}: context kind-a is not this lab's, and cluster a needs the name (rename or delete it (kubectl config delete-context kind-a), or use another file: --kubeconfig FILE)`,
        ],
      });
    }
  });

  it('is a cluster of the same name that is not ours, and says whose it is', () => {
    const { declared, world } = scene();
    const theirs = (more: Partial<ObservedCluster>, less: readonly (keyof ObservedCluster)[] = []) => {
      const [one] = change(world, 'a', () => more).clusters;
      const rest = Object.fromEntries(
        Object.entries(one ?? {}).filter(([key]) => !less.includes(key as keyof ObservedCluster)),
      );
      return errorOf(() =>
        changesOf(declared, { ...world, contexts: [], clusters: [rest as unknown as ObservedCluster] }),
      ).text;
    };
    const hint = 'choose another name, or delete that one: lab delete clusters a --adopt';
    expect(theirs({ owner: OTHER_UID })).toEqual([
      `a.yaml:3: a kind cluster called a exists and belongs to lab practical in /labs/practical/clusters (${hint})`,
    ]);
    expect(theirs({ owner: OTHER_UID }, ['applied'])[0]).toContain('exists and belongs to another lab');
    expect(theirs({}, ['applied', 'owner'])[0]).toContain('exists and was not made by lab');
  });

  it('is a change that only a rebuild can make: each is named, and none is made', () => {
    const { world } = scene();
    const other = lab([
      cluster('a', {
        ...{ ipFamily: 'dual', nodes: { workers: 1 }, zone: 'east', domain: 'x.local', proxyMode: 'nftables' },
        ...{ kubernetes: { version: '1.33' }, pods: ['10.9.0.0/16'], nodeMask: [25, 64], providerConfig: { x: 1 } },
        ports: [{ host: 8080, node: 80, protocol: 'tcp', listen: '127.0.0.1', at: 'a.yaml:9' }],
      }),
    ]);
    const [text, ...rest] = errorOf(() => changesOf(other, world)).text;
    expect(rest).toEqual([]);
    expect(text).toBe(
      'a.yaml:3: cluster a cannot be changed in place: ipFamily: ipv4 → dual; nodes.workers: 0 → 1; kubernetes.version: none → 1.33; network.pods: 10.0.0.0/16 → 10.9.0.0/16,fd00:10::/56; network.services: 10.128.0.0/16 → 10.128.0.0/16,fd00:96::/112; network.nodeMask: 24,64 → 25,64; network.domain: cluster.local → x.local; network.proxyMode: iptables → nftables; ports: none → 127.0.0.1:8080:80/tcp; kind: {} → {"x":1} (take the change back, or rebuild it and lose what is in it: lab create clusters a --recreate a)',
    );
    expect(kindsOf(changesOf(other, world, ['a']))).toContain('cluster');
  });

  it('keeps nobody from a repair, which changes none of it and says so', () => {
    const { world } = scene();
    const other = lab([cluster('a', { nodes: { workers: 1 }, zone: 'east' })]);
    const desired = resolve(other, world);
    const { changes, warnings } = diffForRepair(desired, world, ['a']);
    expect(changes).toEqual([]);
    expect(warnings.join()).toContain('cluster a cannot be changed in place: nodes.workers: 0 → 1');
    expect(planRepair(desired, world, ['a'])).toMatchObject({ steps: [], warnings });
  });

  it('is a cluster of which it is not known whether it was ever ready, unless it is named in --recreate', () => {
    const { declared, world } = scene();
    const [{ applied: _, api: __, ...bare }] = world.clusters as [ObservedCluster];
    const silent = { ...world, clusters: [{ ...bare, unreadable: 'the node did not answer' }] };
    expect(errorOf(() => changesOf(declared, silent))).toMatchObject({
      exitCode: 2,
      text: [
        'a.yaml:3: it is not known whether cluster a was ever ready: the node did not answer (try again; or rebuild it and lose what is in it: lab create clusters a --recreate a)',
      ],
    });
    expect(changesOf(declared, silent, ['a'])[0]).toMatchObject({ action: 'recreate', loses: true });
  });

  it('is not a property that an older record does not know', () => {
    const { declared, world } = scene();
    const older = change(world, 'a', ({ applied }) => {
      if (!applied) return {};
      const { 'network.domain': _, ...fixed } = applied.fixed;
      return { applied: { ...applied, fixed: { ...fixed, 'some.older': 'property' } } };
    });
    expect(changesOf(declared, older)).toEqual([]);
  });

  it('is to go on when a node is gone', () => {
    const { declared, world } = scene({ nodes: { workers: 1 } });
    const less = change(world, 'a', ({ nodes }) => ({ nodes: nodes.slice(0, 1) }));
    expect(errorOf(() => changesOf(declared, less)).text[0]).toContain(
      'cluster a cannot be changed in place: nodes that are gone: a-worker (',
    );
  });
});
