import { describe, expect, it } from 'vitest';
import type { ObservedCluster } from '../../src/lab/observed.ts';
import { type ClusterWords, cluster, lab, observed, planOf } from './build-lab.ts';
import { changed, changesOf } from './changes.ts';

const DUAL = { ipFamily: 'dual', nodes: { servers: 2, workers: 1 } } as const;

/** A cluster whose nodes have addresses, and what their certificates hold. */
const holding =
  (certificates?: Readonly<Record<string, readonly string[]>>) =>
  ({ nodes }: ObservedCluster): Partial<ObservedCluster> => ({
    nodes: nodes.map((node, index) => ({
      ...node,
      networks: { 'lab-practical': [`172.28.0.${index + 2}`, `fd00:1ab::${index + 2}`], other: ['10.9.9.9'] },
    })),
    ...(certificates && { certificates }),
  });

const [ONE, TWO] = ['a-control-plane', 'a-control-plane2'];
const FULL = { [ONE]: ['172.28.0.2', 'fd00:1ab::2', '127.0.0.1'], [TWO]: ['172.28.0.3', 'fd00:1ab::3'] };

/** Steps that make certificates when everything is made for the first time. */
const atFirst = (words: ClusterWords) =>
  planOf(lab([cluster('a', words)]), observed()).steps.filter(({ id }) => id.includes('/certificate/'));

describe("the certificate of a dual-stack cluster's API server", () => {
  it('is made anew on every server of a new cluster, for the family that is not the first', () => {
    expect(atFirst(DUAL)).toMatchObject([
      { id: `a/certificate/${ONE}`, needs: ['a/create'], argv: ['docker', 'exec', '-i', ONE, 'sh', '-e'] },
      { id: `a/certificate/${TWO}`, stdin: expect.stringContaining('ip -6 -o addr show') },
    ]);
    const sixFirst = { services: ['fd00:96:1::/112', '10.96.0.0/16'], pods: ['fd00:10:1::/56', '10.1.0.0/16'] };
    const [first] = changesOf(lab([cluster('a', { ipFamily: 'dual', ...sixFirst })])).filter(
      ({ kind }) => kind === 'certificate',
    );
    expect(first).toMatchObject({ nodes: [ONE] });
    expect(atFirst({ ipFamily: 'ipv4' })).toEqual([]);
    expect(atFirst({ ipFamily: 'ipv6' })).toEqual([]);
  });

  it('is left alone when it holds every address of its node, or cannot be read', () => {
    expect(changed(holding(FULL), DUAL)).toEqual([]);
    expect(changed(holding(), DUAL)).toEqual([]);
    expect(changed(holding({}), DUAL)).toEqual([]);
  });

  it('is made anew on just the servers that lack an address', () => {
    const stale = { ...FULL, [TWO]: ['172.28.0.3', 'fd00:1ab::9'] };
    expect(changed(holding(stale), DUAL)).toEqual([
      {
        kind: 'certificate',
        cluster: 'a',
        nodes: [TWO],
        why: "the API server's certificate does not hold fd00:1ab::3",
      },
    ]);
  });

  it('needs only the one address in a cluster of one family', () => {
    expect(changed(holding({ [ONE]: ['172.28.0.2'] }))).toEqual([]);
  });
});
