import type { Lab } from '../../src/lab/lab.ts';
import type { Observed, ObservedCluster } from '../../src/lab/observed.ts';
import type { Change } from '../../src/plan/change.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { type ClusterWords, change, cluster, lab, observed, worldAfter } from './build-lab.ts';

/** A lab of one cluster, and the world after its create. */
export function scene(words: ClusterWords = {}): { readonly declared: Lab; readonly world: Observed } {
  const declared = lab([cluster('a', words)]);
  const world = worldAfter(resolve(declared, observed()), observed({ images: { 'my/app:dev': 'sha256:1' } }));
  return { declared, world };
}

/** What a create of the whole lab finds to do. */
export function changesOf(declared: Lab, world = observed(), recreate: readonly string[] = []): Change[] {
  const names = declared.clusters.map(({ name }) => name);
  return diffForCreate(resolve(declared, world), world, { names, recreate });
}

/** What it finds when something happened to the cluster after it was made. */
export function changed(how: (one: ObservedCluster) => Partial<ObservedCluster>, words: ClusterWords = {}): Change[] {
  const { declared, world } = scene(words);
  return changesOf(
    declared,
    change(world, 'a', (one) => how(one)),
  );
}

export const kindsOf = (changes: readonly Change[]): string[] => changes.map(({ kind }) => kind);
