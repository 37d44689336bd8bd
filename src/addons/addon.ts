import type { DesiredCluster } from '../lab/desired.ts';
import type { Manifest } from '../lab/lab.ts';
import type { LoadBalancerState } from '../lab/observed.ts';
import type { RunStep, Step, WaitStep } from '../step/step.ts';

/** What answers services of type LoadBalancer: it is part of every cluster, and gets the addresses that the plan chose. */
export interface LoadBalancer {
  readonly name: string;
  /** As people write it. */
  readonly title: string;
  /** The pinned release. */
  readonly manifest: string;
  /** Applies the manifest, waits, and hands out the pool. */
  install(cluster: DesiredCluster, manifest: Manifest, needs: readonly string[]): Step[];
  /** Waits until it runs. */
  waits(cluster: DesiredCluster, needs: readonly string[]): WaitStep[];
  /** Hands out the pool; also alone, when only its addresses changed. */
  pool(cluster: DesiredCluster, manifest: Manifest, needs: readonly string[]): RunStep;
  /** Paths of the API server at which it can be seen. */
  readonly reads: readonly string[];
  /** What the objects at `reads` say, each undefined where there is none; undefined when it is not installed. */
  read(objects: readonly unknown[]): LoadBalancerState | undefined;
}

/** What tells one manifest from another: the content of a file, the address of a URL. */
export const manifestId = ({ location, sha256 }: Manifest): string => sha256 ?? location;
