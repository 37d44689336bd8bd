import type { AppSource } from '../lab/apps.ts';
import type { DesiredCluster } from '../lab/desired.ts';
import type { Manifest } from '../lab/lab.ts';
import type { LoadBalancerState } from '../lab/observed.ts';
import type { RunStep, Step, WaitStep } from '../step/step.ts';

export type AddonName = 'emissary' | 'envoy-gateway' | 'grafana' | 'linkerd-failover' | 'linkerd-smi' | 'linkerd-viz';

/** Something that a spec asks for by name and that is put on a cluster like an app, before the apps. */
export interface Addon {
  readonly name: AddonName;
  /** One line, for the schema. */
  readonly summary: string;
  readonly namespace: string;
  /** Whether its own pods get Linkerd's proxy, where the cluster has Linkerd. */
  readonly inject: boolean;
  /** What must be there before: other add-ons, or `linkerd`. */
  readonly needs: readonly (AddonName | 'linkerd')[];
  /**
   * What is applied where a spec names nothing else, each with its version; one after the other, each once all
   * workloads of the ones before are ready. `others` are the add-ons that the cluster has beside it.
   */
  sources(others: ReadonlySet<string>): readonly AppSource[];
  /** Values that the cluster's DNS domain and the lab's trust domain decide, of any chart; those of the spec win. */
  domainValues?(domain: string, trustDomain: string): Readonly<Record<string, unknown>>;
  /** How far upstream gave it up, and what takes its place. */
  readonly retired?: string;
}

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
