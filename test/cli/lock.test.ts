import { describe, expect, it } from 'vitest';
import { type Cidr, overlaps, parseCidr, parseInterval } from '../../src/net/cidr.ts';
import { changes } from '../stubs/call.ts';
import { clusterText, eventually, expectCode, makeWorld, messages, specs } from './machine.ts';

const ONE = specs({ a: '{}' });

describe('two runs at once', () => {
  it('of one lab: the second says who works, and changes nothing', async () => {
    const world = await makeWorld(ONE);
    const first = world.start(['create'], { FAULT: 'kind:create:a:sleep60' });
    await world.called('kind:create:a');
    for (const args of [['create'], ['delete', '--all']]) {
      const calls = await world.during(async () => {
        const second = await world.lab(...args);
        expectCode(second, 4);
        expect(messages(second.stderr)).toEqual([
          expect.stringMatching(
            new RegExp(
              `^lab: another run holds the lock of lab clusters: pid ${first.child.pid}, lab create, since [\\d:]+\n  .*--wait`,
            ),
          ),
        ]);
      });
      expect(calls.filter(changes)).toEqual([]);
    }
  });

  it('of one lab: a reader is not kept waiting', async () => {
    const world = await makeWorld(ONE);
    world.start(['create'], { FAULT: 'kind:create:a:sleep60' });
    await world.called('kind:create:a');
    await eventually(() => world.store.list('containers').length > 0, 'the nodes of a');
    const { stdout } = await world.lab('info', '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'a', state: 'unfinished' }]);
    expectCode(await world.lab('create', '--dryrun'), 0);
  });

  it('of one lab: with --wait the second goes on from what the first made', async () => {
    const world = await makeWorld(ONE);
    const first = world.start(['create'], { FAULT: 'kind:create:a:sleep2' });
    await world.called('kind:create:a');
    const second = await world.lab('create', '--wait=30s');
    expectCode(second, 0);
    expect(second.stderr).toContain('another run holds the lock of lab clusters');
    expect(second.stderr).toContain('nothing to do');
    expectCode(await first.done, 0);
    expect(world.calls().filter(({ key }) => key === 'kind:create:a')).toHaveLength(1);
  });

  it('of one lab: --wait ends', async () => {
    const world = await makeWorld(ONE);
    world.start(['create'], { FAULT: 'kind:create:a:sleep60' });
    await world.called('kind:create:a');
    expectCode(await world.lab('create', '--wait=1s'), 4);
  });

  it('of two labs: both work, and choose ranges that have nothing in common', async () => {
    const world = await makeWorld({
      'one/a.yaml': clusterText('a', '{ipFamily: dual}'),
      'one/b.yaml': clusterText('b', '{ipFamily: dual}'),
      'two/c.yaml': clusterText('c', '{ipFamily: dual}'),
      'two/d.yaml': clusterText('d', '{ipFamily: dual}'),
    });
    const slow = { FAULT: ['a', 'b', 'c', 'd'].map((name) => `kind:create:${name}:sleep1`).join(';') };
    const runs = ['one', 'two'].map((dir) => world.start(['create', `./${dir}`], slow).done);
    for (const outcome of await Promise.all(runs)) expectCode(outcome, 0);
    const networks = world.store
      .list('networks')
      .flatMap(({ subnets }) => subnets.map(({ Subnet }) => parseCidr(Subnet)));
    const ranges: Cidr[] = [...networks];
    for (const dir of ['one', 'two']) {
      const infos = JSON.parse((await world.lab('info', `./${dir}`, '-o', 'json')).stdout);
      expect(infos).toMatchObject([{ state: 'ready' }, { state: 'ready' }]);
      for (const { pods, services } of infos) ranges.push(...[...pods, ...services].map(parseCidr));
    }
    expect(ranges).toHaveLength(5 + 4 * 4);
    for (const [index, range] of ranges.entries())
      expect(ranges.slice(0, index).filter((other) => overlaps(range, other))).toEqual([]);
  });

  it('of two labs on one adopted network: pools have nothing in common either', async () => {
    const lab = 'kind: Lab\nspec: {network: {adopt: shared}}\n';
    const world = await makeWorld({
      'one/lab.yaml': lab,
      'one/a.yaml': clusterText('a'),
      'two/lab.yaml': lab,
      'two/b.yaml': clusterText('b'),
    });
    world.addNetwork('shared', '172.30.0.0/16');
    const slow = { FAULT: 'kind:create:a:sleep1;kind:create:b:sleep1' };
    const runs = ['one', 'two'].map((dir) => world.start(['create', `./${dir}`], slow).done);
    for (const outcome of await Promise.all(runs)) expectCode(outcome, 0);
    const pools = await Promise.all(
      ['one', 'two'].map(async (dir) => {
        const [cluster] = JSON.parse((await world.lab('info', `./${dir}`, '-o', 'json')).stdout);
        return parseInterval(cluster.loadBalancer[0]);
      }),
    );
    const [one, two] = pools;
    expect(one && two && overlaps(one, two)).toBe(false);
  });
});
