/** What the certificate files of a lab hold: what certificates say and whether keys fit, never a key. JSON-safe. */
export interface CertificateFacts {
  /** The common name. */
  readonly name: string;
  /** Seconds since 1970. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SHA-256 in hexadecimal digits. */
  readonly fingerprint: string;
  /** Of its key: `ECDSA P-256`, `RSA 2048`. */
  readonly algorithm: string;
  /** How it is signed: `ECDSA-SHA256`, `RSA-SHA256`. */
  readonly signature: string;
  /** It is a CA, and its usages let it sign certificates. */
  readonly signs: boolean;
  /** How many CAs there may be below it; absent: any number. */
  readonly pathLength?: number;
  /** Fingerprints of those of the lab's anchors that have signed it. */
  readonly signedBy: readonly string[];
}

/** A file that cannot be used as it is. */
export interface FileFault {
  readonly path: string;
  readonly message: string;
  readonly hint?: string;
}

/** A certificate and its key as their files are. */
export interface ObservedPair {
  /** Absolute; no key is named where only a certificate was given. */
  readonly paths: { readonly certificate: string; readonly key?: string };
  /** Absent when there is no such file, or it has a fault. */
  readonly certificate?: CertificateFacts;
  readonly key?: { readonly fits: boolean };
  readonly faults: readonly FileFault[];
}

export interface ObservedCertificates {
  /** When this was read; seconds since 1970. */
  readonly now: number;
  /** What clusters are told to trust. */
  readonly bundle: {
    readonly path: string;
    readonly trusted: readonly CertificateFacts[];
    readonly faults: readonly FileFault[];
  };
  /** The anchor that `lab` made, the one that is to follow it, and the user's own. */
  readonly anchors: { readonly anchor: ObservedPair; readonly next: ObservedPair; readonly own?: ObservedPair };
  /** By cluster. */
  readonly issuers: Readonly<Record<string, ObservedPair>>;
}
