/** Linkerd as a cluster's API server shows it, and its CLI on this machine. JSON-safe; no key and no token is in it. */
import type { LinkMode } from './mesh.ts';

export const LINKERD = {
  namespace: 'linkerd',
  multicluster: 'linkerd-multicluster',
  /** What `linkerd install` brings, in the order in which it is waited for. */
  deployments: ['linkerd-identity', 'linkerd-destination', 'linkerd-proxy-injector'],
  gateway: 'linkerd-gateway',
  localMirror: 'linkerd-local-service-mirror',
  /** On either namespace: what was applied, once all of it ran. */
  inputsAnnotation: 'lab/inputs',
  /** In place of that, from the first change to the last: whatever is there then is no known form. */
  unfinished: 'unfinished',
  /** On a Link that a lab made: whose it is, and how it came about. */
  linkAnnotation: 'lab/link',
} as const;

/** What `lab` notes on a Link; all else about it is seen. */
export interface LinkRecord {
  readonly uid: string;
  readonly mode: LinkMode;
  /** Asked for on a command line: it stays although no spec asks for it. */
  readonly byHand?: true;
}

export interface LinkState {
  /** The cluster whose services are mirrored. */
  readonly to: string;
  /** Absent on a Link that no lab made. */
  readonly record?: LinkRecord;
  /** The CLI that generated it. */
  readonly version?: string;
  /** Addresses of the target's gateway; none for a link without one. */
  readonly gateway: readonly string[];
  /** In its credentials: the target's API server, and the SHA-256 of its CA. */
  readonly server?: string;
  readonly ca?: string;
  /** Its controller runs. */
  readonly ready: boolean;
  /** `namespace/name` of the services that it mirrors. */
  readonly services: readonly string[];
}

/** A service that unites those of several clusters. */
export interface FederatedService {
  readonly namespace: string;
  readonly name: string;
  /** `service@cluster` each. */
  readonly members: readonly string[];
  /** The cluster's own service is a member, too. */
  readonly local: boolean;
}

export interface LinkerdState {
  /** The namespace is there, whatever is in it. */
  readonly present: boolean;
  /** Of the configuration; absent when there is none. */
  readonly version?: string;
  readonly inputs?: string;
  /** Every deployment has rolled out. */
  readonly ready: boolean;
  /** Version of the Gateway API CRDs; `unknown` when they do not say. */
  readonly gatewayAPI?: string;
  /** SHA-256 of the issuer's certificate, and of each trust anchor, in hexadecimal. */
  readonly issuer?: string;
  /** Those of the anchors that signed the issuer, and when it stops to be valid, in seconds. */
  readonly issuerSignedBy?: readonly string[];
  readonly issuerUntil?: number;
  readonly anchors: readonly string[];
  /** Proxies that learned other anchors when they started: the `namespace/name` of the pod, and what it trusts. */
  readonly outdated: readonly { readonly pod: string; readonly anchors: readonly string[] }[];
  readonly extension: {
    readonly inputs?: string;
    readonly ready: boolean;
    /** Addresses of the gateway; absent when there is no gateway. */
    readonly gateway?: readonly string[];
    readonly links: readonly LinkState[];
    readonly federated: readonly FederatedService[];
  };
}

/** A CLI of the specs: what it says that it is, or why it cannot be asked. */
export interface LinkerdCli {
  readonly binary: string;
  readonly version?: string;
  readonly problem?: string;
}
