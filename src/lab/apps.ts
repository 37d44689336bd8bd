/** Apps and add-ons: what is put on a cluster once it runs, and what of it can be seen. JSON-safe. */
import type { Manifest } from './lab.ts';
import type { LinkMode } from './mesh.ts';

export const APPS = {
  /** On every object that was applied: which app it belongs to, and from which form of it. */
  label: 'lab/app',
  hashLabel: 'lab/hash',
  /** Beside them: of which lab. A cluster that was there before may be in several. */
  ownerLabel: 'lab/owner',
  /** On a service that `lab` exported: how. */
  exportLabel: 'lab/export',
  /** Copies of services of other clusters carry their labels, and are not ours. */
  copies: 'mirror.linkerd.io/mirrored-service',
} as const;

type Values = Readonly<Record<string, unknown>>;

export interface ChartSource {
  readonly kind: 'chart';
  /** `oci://…`, an absolute path, or a name in `repo`. */
  readonly chart: string;
  readonly repo?: string;
  readonly version?: string;
  readonly values: Values;
  /** A file of values that lies under them: a URL. */
  readonly valuesFrom?: string;
  /** Templates of it that are taken; all when empty. */
  readonly only: readonly string[];
  /** Of a local chart: SHA-256 of what is in it. */
  readonly sha256?: string;
}

export type AppSource =
  | ChartSource
  | { readonly kind: 'manifest'; readonly manifest: Manifest }
  /** An extension that the cluster's Linkerd CLI renders, so that it fits the control plane. */
  | { readonly kind: 'linkerd'; readonly extension: string; readonly values: Values };

export interface Export {
  readonly service: string;
  readonly mode: LinkMode;
}

export interface App {
  readonly name: string;
  readonly namespace: string;
  /** Pods of the namespace get Linkerd's proxy. */
  readonly inject: boolean;
  /** Applied one after the other, each once what the ones before brought is ready. */
  readonly sources: readonly AppSource[];
  readonly exports: readonly Export[];
  /** Changes with everything that decides which objects are applied; sixteen hexadecimal digits. */
  readonly hash: string;
  /** An add-on that upstream gave up: how far, and what takes its place. */
  readonly retired?: string;
  /** Where it is declared (`file:line:col`). */
  readonly at: string;
}

export interface AppMark {
  readonly app: string;
  readonly namespace: string;
  /** The hash of what was applied, once all of it ran. */
  readonly hash: string;
  /** Whether pods of the namespace get a proxy. */
  readonly inject: boolean;
  /** What was applied and is there no more: kind, namespace if it has one, and name. */
  readonly missing: readonly string[];
}

export interface AppWorkload {
  readonly app: string;
  readonly kind: 'deployment' | 'daemonset' | 'statefulset';
  readonly namespace: string;
  readonly name: string;
  readonly ready: boolean;
}

/** What apps left in a cluster, by the marks that they carry. */
export interface AppsState {
  readonly marks: readonly AppMark[];
  readonly workloads: readonly AppWorkload[];
  readonly services: readonly {
    readonly app: string;
    readonly namespace: string;
    readonly name: string;
    readonly exported?: string;
  }[];
  /** Types of the objects of each app, such as `deployments.apps`; read only where something may have to go. */
  readonly types: Readonly<Record<string, readonly string[]>>;
}

/** Selects the objects of one lab; copies of services of other clusters carry their labels, too. */
export const objectsOf = (uid: string): string => `${APPS.label},${APPS.ownerLabel}=${uid},!${APPS.copies}`;

/** In place of the hash, from the first change to the last; the second one when pods are to start once more, too. */
export const UNFINISHED = { applying: 'applying', restarting: 'restarting' } as const;

/**
 * The annotation of a namespace that says which form of an app runs in it: its hash and the lab's uid, and a line for
 * each object, `APIVERSION KIND NAMESPACE/NAME`.
 */
export const markOf = (app: string): string => `lab/app.${app}`;
