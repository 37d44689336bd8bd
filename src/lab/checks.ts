/** What a lab says that must hold once it is up: a request, from where, and what is expected. JSON-safe. */
export interface Check {
  readonly name: string;
  readonly from: {
    readonly cluster: string;
    readonly namespace: string;
    /** The beginning of the names of the pods that may ask; any pod of the namespace when it is empty. */
    readonly pod: string;
  };
  /** An http URL, with names as the pod knows them. */
  readonly request: string;
  readonly expect: { readonly status: number; readonly contains?: string };
  /** Seconds in which it has to hold. */
  readonly within: number;
}

export interface CheckResult {
  readonly kind: 'check';
  readonly name: string;
  readonly from: string;
  readonly request: string;
  readonly result: 'ok' | 'failed';
  readonly reason?: string;
}
