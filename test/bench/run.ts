/** Measures `lab` beside a bare node, run by run in turn, and prints medians with what is aimed at. Judges nothing. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import { formatTable } from '../../src/report/table.ts';
import { clusterText, specs, World } from '../stubs/world.ts';
import { routingTables } from './routing.ts';

const CLI = resolve('dist/cli.js');
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 21);

interface Case {
  readonly name: string;
  readonly argv: readonly string[];
  readonly aim: string;
}

const root = mkdtempSync(join(tmpdir(), 'lab-bench-'));
// No program at all on the PATH: what is measured is this project's own.
const empty = { PATH: join(root, 'bin'), HOME: root, XDG_STATE_HOME: join(root, 'state') };
/** As in the shell that this was called from: NODE_EXTRA_CA_CERTS alone doubles a bare start of Node 20. */
const inherited = { ...process.env, ...empty };
for (const name of ['DOCKER_HOST', 'KUBECONFIG', 'LAB_DEFAULTS']) delete inherited[name as keyof typeof inherited];

/** Milliseconds; nothing when the command failed, which is no measurement. */
function time(argv: readonly string[], env: NodeJS.ProcessEnv): number | undefined {
  const begun = performance.now();
  const { status } = spawnSync(process.execPath, argv, { env, stdio: 'ignore' });
  return status === 0 ? performance.now() - begun : undefined;
}

const median = (numbers: readonly number[]): number | undefined =>
  numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

/** Medians of cases that take turns, so that a busy moment of the machine is everybody's. */
function compare(cases: readonly Case[], rounds: number, env: NodeJS.ProcessEnv = inherited): string[][] {
  const times = cases.map((): number[] => []);
  for (let round = -2; round < rounds; round++) {
    for (const [index, { argv }] of cases.entries()) {
      const taken = time(argv, env);
      if (round >= 0 && taken !== undefined) times[index]?.push(taken);
    }
  }
  const medians = times.map(median);
  return cases.map(({ name, aim }, index) => {
    const taken = medians[index];
    if (taken === undefined) return [name, 'failed', '-', aim];
    return [name, `${taken.toFixed(1)} ms`, `${(taken / (medians[0] ?? 1)).toFixed(2)} x`, aim];
  });
}

function makeMany(count: number): string {
  const dir = join(root, `many-${count}`);
  mkdirSync(dir);
  for (let n = 0; n < count; n++) writeFileSync(join(dir, `c${n}.yaml`), clusterText(`c${n}`));
  return dir;
}

function bundlePlanner(): string {
  const outfile = join(root, 'plan-many.mjs');
  const banner = { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" };
  const entryPoints = [resolve('test/bench/plan-many.ts')];
  buildSync({ entryPoints, bundle: true, platform: 'node', format: 'esm', minifySyntax: true, outfile, banner });
  return outfile;
}

/** Programs that a first and a second create start, for so many clusters. */
async function countProcesses(clusters: number): Promise<string[]> {
  const names = Array.from({ length: clusters }, (_, n) => [`c${n}`, '{}']);
  const world = await World.make(specs(Object.fromEntries(names)));
  try {
    const counts: number[] = [];
    for (let run = 0; run < 2; run++) counts.push((await world.during(() => world.lab('create'))).length);
    return [`create of ${clusters}, then again`, `${counts[0]}`, `${counts[1]}`, 'the second does not grow'];
  } finally {
    await world.close();
  }
}

const bare: Case = { name: 'node -e 0', argv: ['-e', '0'], aim: '-' };
const lab = (name: string, aim: string, ...args: string[]): Case => ({ name, argv: [CLI, ...args], aim });
try {
  const starts = [
    bare,
    lab('lab --version', '<= 1.2 x', '--version'),
    lab('lab --help', '<= 1.2 x', '--help'),
    lab('lab create --dryrun, 7 specs, no engine', '<= 2.5 x', 'create', resolve('clusters'), '--dryrun'),
  ];
  const start = [inherited, empty].map((env) => compare(starts, ROUNDS, env));
  const large = compare(
    [
      bare,
      lab('lab create --dryrun, 1,000 specs, no engine', '-', 'create', makeMany(1000), '--dryrun'),
      { name: 'plan of 10,000 dual clusters, whole process', argv: [bundlePlanner()], aim: '< 1000 ms' },
    ],
    Math.ceil(ROUNDS / 4),
  );
  const processes = [await countProcesses(1), await countProcesses(4)];
  const text = [
    ...start.map((rows, index) =>
      formatTable([`COMMAND, ${index === 0 ? 'this' : 'an empty'} environment`, 'MEDIAN', 'TO NODE', 'AIM'], rows),
    ),
    formatTable(['COMMAND', 'MEDIAN', 'TO NODE', 'AIM'], large.slice(1)),
    formatTable(['PROCESSES', 'FIRST', 'SECOND', 'AIM'], processes),
    ...(await routingTables()),
  ];
  process.stdout.write(`${text.join('\n\n')}\n`);
} finally {
  rmSync(root, { recursive: true, force: true });
}
