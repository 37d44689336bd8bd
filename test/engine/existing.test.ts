import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cluster, describeOnEngine, EngineLab, isChanging } from './engine.ts';
import { ForeignCluster } from './foreign-cluster.ts';

const THEIRS = 'lx-theirs';

/** A cluster made by kind alone, on kind's own network, and one of a lab that takes it in. */
describeOnEngine('a cluster that somebody else made', () => {
  let lab: EngineLab;
  let theirs: ForeignCluster;
  let before: string;

  beforeAll(() => {
    lab = new EngineLab({
      'lab.yaml': 'kind: Lab\nmetadata: {name: lx}\nspec: {network: {adopt: kind}}\n',
      'mine.yaml': cluster('lx-mine', '{group: g}'),
      'theirs.yaml': cluster(
        'joined',
        `{provider: existing, context: kind-${THEIRS}, kubeconfig: ../theirs.yaml, group: g}`,
      ),
    });
    theirs = new ForeignCluster(THEIRS, join(lab.root, 'theirs.yaml'));
    theirs.create();
    before = everything();
  });
  afterAll(async () => {
    try {
      await lab?.remove();
    } finally {
      theirs?.remove();
    }
  });

  const everything = (): string => [theirs.machine(), ...theirs.objects()].join('\n');

  it('is seen with its own ranges, and the others are planned beside them', async () => {
    const infos = JSON.parse((await lab.lab('info', lab.dir, '-o', 'json')).stdout);
    expect(infos).toMatchObject([
      { name: 'joined', provider: 'existing', pods: ['10.244.0.0/16'], services: ['10.96.0.0/16'], loadBalancer: [] },
      { name: 'lx-mine', state: 'planned' },
    ]);
  });

  it('joins without a change to it', async () => {
    lab.takeCalls();
    const created = await lab.lab('create', lab.dir);
    expect(created.code, created.stderr).toBe(0);
    const touching = lab.takeCalls().filter((call) => isChanging(call) && call.join(' ').includes(THEIRS));
    expect(touching.filter((call) => !call.join(' ').startsWith('kubectl config view'))).toEqual([]);
    expect(everything()).toBe(before);
    expect(readFileSync(lab.kubeconfig, 'utf8')).not.toContain(THEIRS);
  });

  it('is routed, measured and shown like any other', async () => {
    expect((await lab.lab('route', lab.dir)).code).toBe(0);
    const verified = await lab.lab('verify', lab.dir);
    expect(verified.code, verified.stdout).toBe(0);
    const status = await lab.lab('status', lab.dir, '--exit-code');
    expect(status.code, status.stdout).toBe(0);
    expect((await lab.lab('create', lab.dir)).stderr).toContain('nothing to do');
  });

  it('stays when the lab is stopped and deleted, as it was before', async () => {
    expect((await lab.lab('stop', lab.dir)).stderr).toContain('joined was there before this lab');
    const deleted = await lab.lab('delete', lab.dir, '--all', '--adopt');
    expect(deleted.code, deleted.stderr).toBe(0);
    expect(deleted.stdout.trim()).toBe('cluster/lx-mine deleted');
    expect(everything()).toBe(before);
  });
});
