/** What a user declared of a mesh, and what should be of its certificates and links. JSON-safe, and without secrets. */
import type { Manifest } from './lab.ts';

export type MeshName = 'linkerd' | 'none';
export type LinkMode = 'flat' | 'gateway' | 'federated';

/** Linkerd as one cluster runs it. */
export interface LinkerdSpec {
  readonly name: 'linkerd';
  /** Seconds. */
  readonly issuerLifetime: number;
  /** The CLI: a name on the PATH, or an absolute path. */
  readonly binary: string;
  /** What the CLI must say that it is. */
  readonly version?: string;
  readonly gatewayAPI: { readonly manifest: Manifest };
  /** Chart values of the control plane, merged last. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly multicluster: { readonly values: Readonly<Record<string, unknown>> };
  /** Variables that the CLI wants. Their values may be licences: they are never in a plan. */
  readonly env: readonly string[];
}

export type ClusterMesh = { readonly name: 'none' } | LinkerdSpec;

/** A trust anchor of the user's own: absolute paths. Without the key it signs nothing. */
export interface OwnAnchor {
  readonly certificate: string;
  readonly key?: string;
  /** Where it is named (`file:line:col`). */
  readonly at: string;
}

/** What the clusters' meshes share: they trust the same anchor. */
export interface LabMesh {
  readonly trustDomain: string;
  readonly anchor: {
    /** Seconds; of one that `lab` makes. */
    readonly lifetime: number;
    readonly own?: OwnAnchor;
  };
}

/** A file of the lab's state directory. */
interface StateFile {
  readonly file: string;
}

/** A certificate and its key, both PEM. */
export interface CertificateFiles {
  readonly certificate: StateFile;
  readonly key: StateFile;
}

/** The certificates that should be: one trust anchor, which signs an issuer for every cluster with a mesh. */
export interface DesiredCertificates {
  readonly trustDomain: string;
  /** `name` is the common name. */
  readonly anchor: LabMesh['anchor'] & { readonly name: string };
  /** What every cluster trusts: the anchor, and while it is rotated the other one too. */
  readonly bundle: StateFile;
  readonly issuers: readonly {
    readonly cluster: string;
    readonly name: string;
    /** Seconds. */
    readonly lifetime: number;
    readonly files: CertificateFiles;
  }[];
}

/** One direction: `from` (the consumer) uses what `to` exports. */
export interface DesiredLink {
  readonly from: string;
  readonly to: string;
  readonly mode: LinkMode;
  /** The group or the entry of `links` that asks for it. */
  readonly why: string;
}
