/**
 * A plan is data: it can be printed as text, JSON or shell, executed, and compared. A changing command is in
 * here or it is not run.
 */

/**
 * Text; or what an earlier query captured; or a file of the lab's state directory. A captured value is never
 * printed: it may be a kubeconfig.
 */
export type Value = string | { readonly ref: string } | { readonly file: string };

/** Added to the environment of `lab` itself; an empty value switches a variable of the user's off. */
export type Environment = Readonly<Record<string, Value>>;

/** Checked once more when a changing step's turn comes, because the world moves between plan and execution. */
export interface Precondition {
  readonly argv: readonly Value[];
  /** What the step relies on: standard output is empty, or the command fails. */
  readonly expect: 'empty' | 'failure';
  /** `skip`: somebody already did it. `stop`: somebody else's thing is in the way. */
  readonly otherwise: 'skip' | 'stop';
  readonly message: string;
}

/** Tries again while standard error matches one of `on` (regular expressions), every `every` seconds, for `for` seconds. */
export interface Retry {
  readonly on: readonly string[];
  readonly every: number;
  readonly for: number;
}

/**
 * Variables whose values are in no plan, because they may be licences. They are in the spec of a cluster, or in the
 * environment of `lab` itself.
 */
export interface SecretEnv {
  readonly of: string;
  readonly names: readonly string[];
}

interface StepBase {
  readonly id: string;
  /** What it does, for a person: `create the cluster`. */
  readonly title: string;
  /** Clusters it belongs to; none for what the whole lab shares. */
  readonly clusters: readonly string[];
  readonly needs: readonly string[];
  /** Seconds. */
  readonly timeout: number;
  /** Why this is needed, or why this way: the comment in the exported script. */
  readonly why?: string;
}

/** Runs a command that changes something. */
export interface RunStep extends StepBase {
  readonly kind: 'run';
  /** It is short and works elsewhere: it takes no job slot, so that all of its kind run at the same time. */
  readonly light?: true;
  readonly argv: readonly Value[];
  readonly stdin?: Value;
  readonly env?: Environment;
  readonly secretEnv?: SecretEnv;
  readonly retry?: Retry;
  readonly precondition?: Precondition;
}

/** Runs a command that only reads, and keeps its trimmed standard output under `capture`. */
export interface QueryStep extends StepBase {
  readonly kind: 'query';
  readonly argv: readonly Value[];
  /** Several are one after the other, each on lines of its own. */
  readonly stdin?: Value | readonly Value[];
  readonly env?: Environment;
  readonly secretEnv?: SecretEnv;
  readonly capture: string;
  readonly retry?: Retry;
}

/** Writes a file of the state directory, atomically. */
export interface WriteStep extends StepBase {
  readonly kind: 'write';
  readonly file: { readonly file: string };
  readonly content: Value;
  readonly mode: number;
}

/** Merges contexts into the user's kubeconfig, or takes them out of it: one atomic write under a lock. */
export interface KubeconfigStep extends StepBase {
  readonly kind: 'kubeconfig';
  readonly action: 'merge' | 'remove';
  /** The private kubeconfig; its single context is merged under each of `contexts`. */
  readonly source: { readonly file: string };
  /** The kubeconfig to take them out of; the user's own when it is left out. */
  readonly file?: string;
  readonly cluster: string;
  readonly contexts: readonly string[];
  readonly owner: string;
}

export type WaitFor =
  | {
      readonly resource: 'nodes';
      readonly count: number;
      /** After a restart: by node, the moment (RFC 3339) after which its kubelet must have spoken up again. */
      readonly since?: Readonly<Record<string, string>>;
    }
  /** Every pod of a namespace, and at least so many. */
  | { readonly resource: 'pods'; readonly namespace: string; readonly count: number }
  /** Every deployment, daemon set and stateful set with these labels, in any namespace; there may be none. */
  | { readonly resource: 'workloads'; readonly selector: string }
  | {
      readonly resource: 'deployment' | 'daemonset' | 'statefulset';
      readonly namespace: string;
      readonly name: string;
    };

/** Waits until a cluster says that something is ready; takes no job slot. */
export interface WaitStep extends StepBase {
  readonly kind: 'wait';
  readonly kubeconfig: { readonly file: string };
  readonly for: WaitFor;
}

/** A command that prints what it checked, one result each: `linkerd check -o json`. */
export interface ResultsCheck {
  readonly argv: readonly Value[];
  readonly reads: 'linkerd-check';
  readonly secretEnv?: SecretEnv;
}

/** Reads, and fails the plan unless what it relies on holds. */
export interface CheckStep extends StepBase {
  readonly kind: 'check';
  readonly check: Precondition | ResultsCheck;
}

/** Where a certificate and its key are, both PEM. */
export interface KeyPairFiles {
  readonly certificate: Value;
  readonly key: Value;
}

/** What is done to certificates. Keys are made and used where this is carried out, and are nowhere but in their files. */
export type CertificateAction =
  | {
      /** An ECDSA P-256 key, and a CA certificate for it that is signed with SHA-256. */
      readonly do: 'make';
      /** The common name. */
      readonly name: string;
      /** How long it is valid from now on; it is backdated by {@link CLOCK_SKEW}. */
      readonly seconds: number;
      readonly pathLength: number;
      /** Absent: it signs itself. */
      readonly signer?: KeyPairFiles;
      readonly files: KeyPairFiles;
      /** Without it a certificate that is there is left alone. */
      readonly replaces: boolean;
    }
  /** Writes all certificates of some files, and nothing else of them, into one. */
  | { readonly do: 'bundle'; readonly from: readonly Value[]; readonly to: Value }
  /** Puts a certificate and its key in the place of others; what is not there is passed over. */
  | { readonly do: 'move'; readonly from: KeyPairFiles; readonly to: KeyPairFiles }
  | { readonly do: 'remove'; readonly files: readonly Value[] };

/** Seconds; clocks of machines and of engines in a VM differ. */
export const CLOCK_SKEW = 3600;

/** Makes or changes certificates of the state directory. */
export interface CertificateStep extends StepBase {
  readonly kind: 'certificate';
  readonly action: CertificateAction;
}

export type Step = RunStep | QueryStep | WriteStep | KubeconfigStep | WaitStep | CheckStep | CertificateStep;

export interface Plan {
  readonly version: 1;
  readonly lab: { readonly name: string; readonly uid: string };
  readonly verb: string;
  readonly summary: string;
  readonly warnings: readonly string[];
  readonly steps: readonly Step[];
}
