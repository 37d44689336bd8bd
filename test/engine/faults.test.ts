import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster, describeOnEngine, EngineLab, finish, run, until } from './engine.ts';
import { findEngine, killEngine, reviveEngine } from './kill-engine.ts';

const twoClusters = (prefix: string) =>
  new EngineLab({
    'lab.yaml': `kind: Lab\nmetadata: {name: ${prefix}}\n`,
    'a.yaml': cluster(`${prefix}-a`, '{group: g}'),
    'b.yaml': cluster(`${prefix}-b`, '{group: g}'),
  });

const nodes = (prefix: string): string[] =>
  run('docker', ['ps', '--format', '{{.Names}}', '--filter', `name=^${prefix}-`])
    .split('\n')
    .filter(Boolean);

/** The journal so far; empty before there is one. */
function journal(lab: EngineLab): string {
  const labs = join(lab.root, 'state', 'lab', 'labs');
  if (!existsSync(labs)) return '';
  return readdirSync(labs)
    .map((uid) => join(labs, uid, 'journal.jsonl'))
    .map((file) => (existsSync(file) ? readFileSync(file, 'utf8') : ''))
    .join('');
}

const isDone = (lab: EngineLab, step: string): boolean =>
  journal(lab)
    .split('\n')
    .some((line) => line.includes(`"step":"${step}"`) && line.includes('"result":"done"'));

/** Everything is there and reached: what a lab that was never disturbed would show. */
async function expectWhole(lab: EngineLab): Promise<void> {
  for (const args of [['create'], ['route'], ['verify'], ['status', '--exit-code']] as const) {
    const [verb, ...flags] = args;
    const outcome = await lab.lab(verb, lab.dir, ...flags);
    expect(outcome.code, `${verb}\n${outcome.stdout}\n${outcome.stderr}`).toBe(0);
  }
}

const MOMENTS: readonly [string, (lab: EngineLab) => boolean][] = [
  ['the network is there and no node', (lab) => isDone(lab, 'network')],
  ['both nodes boot', () => nodes('lf').length === 2],
  ['one of them is ready', (lab) => isDone(lab, 'lf-a/record') || isDone(lab, 'lf-b/record')],
];

describeOnEngine('lab create of two clusters, killed', () => {
  let lab: EngineLab;
  beforeAll(() => {
    lab = twoClusters('lf');
  });
  afterAll(() => lab?.remove());

  it.each(MOMENTS)('while %s, is made whole by the next run', async (_, isMoment) => {
    expect((await lab.lab('delete', lab.dir, '--all')).code).toBe(0);
    rmSync(join(lab.root, 'state'), { recursive: true, force: true });
    const child = lab.start('create', lab.dir);
    const ended = finish(child);
    await until('the moment', 300, () => isMoment(lab));
    child.kill('SIGKILL');
    expect((await ended).code).toBeNull();
    expect((await lab.lab('status', lab.dir)).stderr).toContain('interrupted (pid');
    await expectWhole(lab);
  });
});

interface Way {
  readonly name: string;
  away(lab: EngineLab): Promise<void>;
  back(lab: EngineLab): Promise<void>;
}

const AWAY = 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?';

/** For everybody who calls `docker`, kind too, the engine is gone; it really works on. */
const outOfReach: Way = {
  name: 'out of reach',
  away: async ({ root }) => {
    const docker = join(root, 'bin', 'docker');
    renameSync(docker, `${docker}-on`);
    writeFileSync(docker, `#!/bin/sh\necho '${AWAY}' >&2\nexit 1\n`, { mode: 0o755 });
  },
  back: async ({ root }) => renameSync(join(root, 'bin', 'docker-on'), join(root, 'bin', 'docker')),
};

let engine: ReturnType<typeof findEngine> | undefined;
/** Everything else on this engine goes down with it, so it has to be asked for. */
const killed: Way = {
  name: 'killed',
  away: () => {
    engine = findEngine();
    return killEngine(engine);
  },
  back: async () => {
    if (engine) await reviveEngine(engine);
  },
};

const mayKill = process.env.LAB_TEST_KILL_ENGINE === '1';
if (!mayKill)
  process.stderr.write('SKIPPED, visibly: the engine itself is killed only where LAB_TEST_KILL_ENGINE=1 asks for it\n');

describeOnEngine('an engine that goes away while two clusters are made', () => {
  for (const { name, away, back } of [outOfReach, killed]) {
    describe.skipIf(name === 'killed' && !mayKill)(name, () => {
      let lab: EngineLab;
      let isAway = false;
      const comeBack = async () => {
        if (isAway) await back(lab);
        isAway = false;
      };
      beforeAll(() => {
        lab = twoClusters('lg');
      });
      afterAll(async () => {
        await comeBack();
        await lab?.remove();
      });

      it('is told, with what to type, and no command waits for it', async () => {
        const child = lab.start('create', lab.dir);
        const ended = finish(child);
        await until('both nodes run', 300, () => nodes('lg').length === 2);
        isAway = true;
        await away(lab);
        const { code, stderr } = await ended;
        expect([1, 3], stderr).toContain(code);
        expect(stderr).toMatch(/could not create the nodes|Docker stopped answering/);
        expect(stderr).toMatch(/lab create|docker info/);
        expect(stderr).not.toMatch(/\n\s+at .*:\d+:\d+|bug in lab/);
        for (const verb of ['status', 'create', 'route']) {
          const refused = await lab.lab(verb, lab.dir);
          expect(refused.code, refused.stderr).toBe(3);
          expect(refused.stderr).toContain('no Docker engine answers at unix://');
        }
      });

      it('is gone on with once it is back', async () => {
        await comeBack();
        await expectWhole(lab);
      });
    });
  }
});
