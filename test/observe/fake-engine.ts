import type { Command, Outcome } from '../../src/step/runner.ts';
import { fails, fakeRunner, says } from '../exec/fake-runner.ts';
import { toolOutput } from '../tools/fixture.ts';

/** An archive with one file, as `docker cp` streams it. */
export function tarOf(content: string): string {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write('file', 0);
  header.write(bytes.length.toString(8).padStart(11, '0'), 124);
  header.write('0', 156);
  const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512);
  return Buffer.concat([header, bytes, padding, Buffer.alloc(1024)]).toString('utf8');
}

export interface NodeWords {
  readonly cluster: string;
  readonly provider?: 'kind' | 'k3d';
  readonly role?: 'control-plane' | 'worker';
  /** uid of the lab that made it. */
  readonly owner?: string;
  readonly running?: boolean;
  readonly args?: readonly string[];
}

/** What `docker container inspect` shows of a node. */
export function node({
  cluster,
  provider = 'kind',
  role = 'control-plane',
  owner,
  running = true,
  args = [],
}: NodeWords) {
  const name = provider === 'kind' ? `${cluster}-${role}` : `k3d-${cluster}-server-0`;
  return {
    Id: `id-${name}`,
    Name: `/${name}`,
    Args: args,
    State: { Running: running },
    Config: {
      Image: 'kindest/node:v1.34.4',
      Labels:
        provider === 'kind'
          ? { 'io.x-k8s.kind.cluster': cluster, 'io.x-k8s.kind.role': role }
          : { app: 'k3d', 'k3d.cluster': cluster, 'k3d.role': 'server' },
    },
    Mounts: owner === undefined ? [] : [{ Destination: `/lab/owner/${owner}` }],
    NetworkSettings: { Networks: { kind: { IPAddress: running ? '172.18.0.2' : '', GlobalIPv6Address: '' } } },
  };
}

export interface EngineWords {
  readonly nodes?: readonly ReturnType<typeof node>[];
  /** `NODE:PATH` to its content, or to what goes wrong. */
  readonly files?: Readonly<Record<string, string | Outcome>>;
  /** Answers that are not the usual ones, by the words after `docker`. */
  readonly answers?: Readonly<Record<string, Outcome>>;
}

/** A runner before a Docker engine with these nodes; anything else that it is asked fails. */
export function fakeEngine({ nodes = [], files = {}, answers = {} }: EngineWords = {}) {
  const copy = (from = ''): Outcome => {
    const file = files[from];
    if (typeof file === 'object') return file;
    return file === undefined
      ? fails(
          `Error response from daemon: Could not find the file ${from.split(':')[1]} in container ${from.split(':')[0]}`,
        )
      : says(tarOf(file));
  };
  const answer = (line: string, { argv }: Command): Outcome => {
    const words = argv.slice(1, 3).join(' ');
    const special = answers[words] ?? answers[argv[1] ?? ''];
    if (special) return special;
    if (words.startsWith('info')) return says(toolOutput('docker-28.5/info.json'));
    if (words === 'network ls') return says('f804eb638f6d253c11eee92599541bb61b2ffa8e5fdceea97d54db367826bea0\n');
    if (words === 'network inspect') return says(toolOutput('docker-28.5/networks.json'));
    if (words === 'ps -a')
      return says(
        [
          'c0ffee\tapp=web',
          ...nodes.map(
            ({ Id, Config }) =>
              `${Id}\t${Object.entries(Config.Labels)
                .map(([key, value]) => `${key}=${value}`)
                .join(',')}`,
          ),
        ].join('\n'),
      );
    if (words === 'container inspect') return says(JSON.stringify(nodes.filter(({ Id }) => argv.includes(Id))));
    if (words === 'image inspect') return fails('no such image');
    if (argv[1] === 'cp') return copy(argv[2]);
    return fails(`unexpected: ${line}`, 125);
  };
  return fakeRunner(answer);
}
