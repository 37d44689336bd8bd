import { describe, expect, it } from 'vitest';
import { expectCode, makeWorld, specs } from './machine.ts';

const TWO = specs({ a: '{}', b: '{}' });

describe('a step that fails', () => {
  it('stops only what needs it, is told in full, and a second run makes the rest', async () => {
    const world = await makeWorld(TWO);
    const text = 'Preparing nodes\nERROR: failed to create cluster: port is already allocated';
    const outcome = await world.start(['create', 'clusters'], { FAULT: `kind:create:b:exit9=${text}` }).done;
    expectCode(outcome, 1);
    expect(outcome.stderr).toMatch(/^b: could not create the nodes$/m);
    expect(outcome.stderr).toMatch(/^ {2}kind create cluster --name b .*: exit code 9$/m);
    expect(outcome.stderr).toContain(
      '  Preparing nodes\n    ERROR: failed to create cluster: port is already allocated',
    );
    expect(outcome.stderr).toMatch(
      /steps were not done\. What is done stays; the rest is made by: lab create clusters$/m,
    );
    expect(outcome.stderr).not.toMatch(/at .*\(.*:\d+\)/);
    expect(outcome.stderr).not.toContain('a: could not');
    expect(world.store.list('containers').map(({ name }) => name)).toEqual(['a-control-plane']);

    const calls = await world.during(async () => expectCode(await world.lab('create'), 0));
    expect(calls.map(({ key }) => key).filter((key) => key.startsWith('kind:'))).toEqual(['kind:create:b']);
    const { stdout } = await world.lab('info', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject([{ state: 'ready' }, { state: 'ready' }]);
  });

  it('that everybody needs blocks everything', async () => {
    const world = await makeWorld(TWO);
    const outcome = await world.start(['create'], { FAULT: 'docker:network:lab-clusters:exit1=no room' }).done;
    expectCode(outcome, 1);
    expect(outcome.stderr).toMatch(/^lab: could not create Docker network lab-clusters$/m);
    expect(outcome.stderr).toContain('no room');
    expect(world.calls().filter(({ program }) => program !== 'docker')).toEqual([]);
  });

  it('is told of before anything is made where it is the image of a workload', async () => {
    const text = 'apiVersion: lab/v1alpha1\nkind: ExternalWorkload\nmetadata: {name: smiley}\n';
    const smiley = `${text}spec: {cluster: a, image: none/such, ports: [{port: 8080}]}\n`;
    const world = await makeWorld({ ...TWO, 'clusters/smiley.yaml': smiley });
    const FAULT = 'docker:pull:none/such:exit1=Error response from daemon: pull access denied for none/such';
    const outcome = await world.start(['up'], { FAULT }).done;
    expectCode(outcome, 1);
    expect(outcome.stderr).toMatch(/could not pull none\/such, which clusters\/smiley\.yaml:3:18 asks for$/m);
    expect(outcome.stderr).toContain('pull access denied for none/such');
    expect(outcome.stderr).toContain('build or load it on this engine (docker build, docker load)');
    expect(world.store.list('containers')).toEqual([]);
    expect(world.store.list('networks').map(({ name }) => name)).toEqual(['bridge']);
  });

  it('leaves the contexts of a cluster that is not ready out of the kubeconfig', async () => {
    const world = await makeWorld(TWO);
    expectCode(await world.start(['create'], { FAULT: 'docker:exec:b-control-plane:exit1' }).done, 1);
    const { stdout } = await world.lab('info', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject([{ state: 'ready' }, { state: 'unfinished' }]);
  });

  it('shows only the end of a long story, and no control characters', async () => {
    const world = await makeWorld(specs({ a: '{}' }));
    const story = Array.from({ length: 100 }, (_, n) => `\u001b[31mline ${n}\u001b[0m`).join('\n');
    const { stderr } = await world.start(['create'], { FAULT: `kind:create:a:exit1=${story}` }).done;
    expect(stderr).toContain('line 99');
    expect(stderr).toContain('line 80');
    expect(stderr).not.toContain('line 79');
    expect(stderr).not.toContain('\u001b');
  });

  it('is told as JSON too', async () => {
    const world = await makeWorld(TWO);
    const outcome = await world.start(['create', '-o', 'json'], { FAULT: 'kind:create:b:exit1' }).done;
    expectCode(outcome, 1);
    const { steps } = JSON.parse(outcome.stdout);
    expect(steps).toContainEqual(expect.objectContaining({ id: 'b/create', result: 'failed' }));
    expect(steps).toContainEqual(expect.objectContaining({ id: 'b/pool', result: 'blocked' }));
  });
});

describe('a run with failures', () => {
  const THREE = specs({ a: '{}', b: '{}', c: '{}' });

  it('ends with a row a cluster', async () => {
    const world = await makeWorld(THREE);
    const { stderr } = await world.start(['create'], { FAULT: 'kind:create:b:exit1' }).done;
    expect(stderr).toMatch(
      /^CLUSTER +RESULT +STEPS +WHERE\nlab +done +1 of 1 +-\na +done +(\d+) of \1 +-\nb +failed +0 of \d+ +create the nodes\nc +done +(\d+) of \2 +-$/m,
    );
  });

  it('stops everything at the first with --fail-fast, and the next run makes the rest', async () => {
    const world = await makeWorld(THREE);
    const slow = 'kind:create:a:sleep60;kind:create:b:exit1;kind:create:c:sleep60';
    const outcome = await world.start(['create', '--fail-fast', '--jobs', '3'], { FAULT: slow }).done;
    expectCode(outcome, 1);
    expect(outcome.stderr).toMatch(/^a +cancelled .*\nb +failed .*\nc +cancelled/m);
    expect(world.calls().filter((call) => world.runs(call))).toEqual([]);
    expect(world.calls().map(({ program }) => program)).not.toContain('kubectl');
    expectCode(await world.lab('create'), 0);
  });

  it('ends a step that takes longer than --timeout, and nothing else', async () => {
    const world = await makeWorld(THREE);
    const outcome = await world.start(['create', '--timeout', '9s'], { FAULT: 'kubectl:apply:b:stubborn60' }).done;
    expectCode(outcome, 1);
    expect(outcome.stderr).toMatch(/^ {2}kubectl .*: not done after 9 s \(--timeout gives more\)$/m);
    expect(outcome.stderr).toMatch(/^a +done .*\nb +failed .*\nc +done/m);
    expect(world.calls().filter((call) => world.runs(call))).toEqual([]);
    expectCode(await world.lab('create'), 0);
  });

  it('refuses a --timeout of nothing, and plans with one', async () => {
    const world = await makeWorld(THREE);
    expectCode(await world.lab('create', '--timeout', '0'), 2);
    const { stdout } = await world.lab('create', '--dryrun', '-o', 'json', '--timeout', '2h');
    expect(new Set(JSON.parse(stdout).steps.map(({ timeout }: { timeout: number }) => timeout))).toEqual(
      new Set([7200]),
    );
  });
});
