/** A line of the log of the stubs. */
export interface Call {
  readonly program: string;
  readonly argv: readonly string[];
  readonly stdin: string;
  /** What it is about: `program:verb:name`. */
  readonly key: string;
  readonly pid: number;
}

const READS = [
  /^docker (info|ps|inspect|network (ls|inspect)|container inspect|image inspect) ?/,
  /^docker exec \S+ sh -c ip -4 route show;/,
  /^docker cp \S+:\S+ -$/,
  /^kind get /,
  /^k3d kubeconfig get/,
  /^kubectl config view /,
  /^linkerd /,
  /^kubectl --kubeconfig \S+ get /,
  /^helm template /,
  /^kubectl --kubeconfig \S+ (label --local|config view) /,
  /^\w+ version/,
];

/** Everything that is not known to only read changes something. */
export const changes = ({ program, argv }: Pick<Call, 'program' | 'argv'>): boolean =>
  !READS.some((read) => read.test([program, ...argv].join(' ')));
