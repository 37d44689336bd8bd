/**
 * One program that stands in for `docker`, `kind`, `k3d`, `kubectl`, `helm` and `linkerd`, by the name it is started under, as far as `lab` uses
 * them. It keeps its state in the folder STUB_STATE, appends every call to the file STUB_LOG, and fails or waits where
 * FAULT says so: `program:verb:name:action[@n]`, several with a semicolon between them; with `@n` only the nth such
 * call does it. The actions:
 *
 *   exit1, exit1=TEXT   ends with this code, and the text on standard error
 *   says0=TEXT          ends with this code, and the text on standard output
 *   flood200            writes so many MB on standard error, and fails
 *   sleep5              works on after a pause
 *   stubborn5           the same, and no interrupt ends the pause
 *   kill9               is ended by this signal
 *   down1               fails, and from now on no engine answers
 */
import { appendFileSync, existsSync, readFileSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runHelm } from './apps.ts';
import type { Call } from './call.ts';
import { runDocker } from './docker.ts';
import { Failure } from './failure.ts';
import { runK3d } from './k3d.ts';
import { runKind } from './kind.ts';
import { runKubectl } from './kubectl.ts';
import { runLinkerd } from './linkerd.ts';
import { openStore } from './store.ts';

const { STUB_STATE = '', STUB_LOG = '', FAULT = '' } = process.env;

/** What a call is about, as FAULT names it. */
function keyOf(program: string, argv: readonly string[]): string {
  const behind = (name: string) => argv[argv.indexOf(name) + 1] ?? '';
  if (program === 'kind') return `kind:${argv[0]}:${behind('--name')}`;
  if (program === 'k3d')
    return `k3d:${argv[1] ?? argv[0]}:${argv[0] === 'image' ? behind('--cluster') : (argv[2] ?? '')}`;
  if (program === 'linkerd')
    return `linkerd:${argv[2] === 'multicluster' ? argv[3] : (argv[2] ?? '')}:${basename(behind('--kubeconfig'), '.yaml')}`;
  if (program === 'kubectl') return `kubectl:${argv[2]}:${basename(behind('--kubeconfig'), '.yaml')}`;
  return `docker:${argv[0]}:${argv[0] === 'exec' ? argv[argv[1] === '-i' ? 2 : 1] : (argv.at(-1) ?? '')}`;
}

async function fail(key: string): Promise<void> {
  const entry = FAULT.split(';').find((one) => one.startsWith(`${key}:`));
  if (entry === undefined) return;
  const action = /^(exit|says|flood|sleep|stubborn|kill|down)([\d.]+)(?:=(.*?))?(?:@(\d+))?$/s;
  const match = action.exec(entry.slice(key.length + 1));
  if (!match) throw new Failure(`FAULT cannot be read: ${entry}`, 99);
  const [, what, amount, text, nth] = match;
  if (nth !== undefined && countCalls(key) !== Number(nth)) return;
  if (what === 'exit') throw new Failure(text ?? `ERROR: ${key} was told to fail`, Number(amount));
  if (what === 'says') throw new Failure('', Number(amount), text);
  if (what === 'down') throw takeEngineDown();
  if (what === 'kill') process.kill(process.pid, Number(amount));
  if (what === 'flood') {
    const line = `${'flood '.repeat(20)}\u001b[31m\ufffd\n`;
    for (let left = Number(amount) * 1e6; left > 0; left -= line.length * 1000) writeSync(2, line.repeat(1000));
    throw new Failure('the end of the flood');
  }
  await sleep(Number(amount) * 1000);
}

const AWAY = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?';

function takeEngineDown(): Failure {
  const store = openStore(STUB_STATE);
  const engine = store.read('engine', 'engine');
  if (engine) store.write('engine', 'engine', { ...engine, error: AWAY });
  return new Failure(AWAY);
}

/** Calls with this key so far, this one among them. */
function countCalls(key: string): number {
  const calls = readFileSync(STUB_LOG, 'utf8').trim().split('\n');
  return calls.filter((line) => (JSON.parse(line) as Call).key === key).length;
}

async function main(): Promise<void> {
  const program = basename(process.argv[1] ?? '');
  const argv = process.argv.slice(2);
  const key = keyOf(program, argv);
  const stdin = argv.includes('-') || argv.includes('-i') ? readFileSync(0, 'utf8') : '';
  const call: Call = { program, argv, stdin, key, pid: process.pid };
  appendFileSync(STUB_LOG, `${JSON.stringify(call)}\n`);
  const store = openStore(STUB_STATE);
  // From its start: whoever waits for it to have begun may interrupt at once.
  if (FAULT.includes(`${key}:stubborn`)) for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
  const request = { argv, stdin, store, fail: () => fail(key) };
  // A create fails or waits in its middle, when the nodes are there already.
  if (!/^(kind|k3d):create:/.test(key)) await fail(key);
  const run = {
    docker: runDocker,
    kind: runKind,
    k3d: runK3d,
    kubectl: runKubectl,
    linkerd: runLinkerd,
    helm: runHelm,
  }[program];
  if (!run || !existsSync(STUB_STATE)) throw new Failure(`no stub for ${program}`, 99);
  process.stdout.write(await run(request));
}

main().catch((error: unknown) => {
  const failure = error instanceof Failure ? error : new Failure(String((error as Error).stack), 99);
  process.stdout.write(failure.stdout);
  process.stderr.write(`${failure.message}\n`);
  process.exitCode = failure.code;
});
