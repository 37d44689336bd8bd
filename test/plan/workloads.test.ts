import { describe, expect, it } from 'vitest';
import type { ApiState, Observed } from '../../src/lab/observed.ts';
import { WORKLOAD_LABELS, type Workload } from '../../src/lab/workload.ts';
import { overlaps, parseCidr, parseInterval } from '../../src/net/cidr.ts';
import { planDelete } from '../../src/plan/plan-delete.ts';
import { planStop } from '../../src/plan/plan-power.ts';
import { planWorkloads } from '../../src/plan/plan-workloads.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { statusRows } from '../../src/plan/status.ts';
import { inputsOf } from '../../src/plan/workload-steps.ts';
import type { RunStep } from '../../src/step/step.ts';
import { change, cluster, errorOf, lab, OTHER_UID, observed, UID, workload, worldAfter } from './build-lab.ts';

const CLUSTERS = [cluster('a', { ipFamily: 'dual', group: 'g' }), cluster('b', { group: 'g' }), cluster('c')];
const declare = (...workloads: Workload[]) => lab(CLUSTERS, { workloads });

/** All clusters up, with what Docker has of these workloads. */
function up(declared: ReturnType<typeof lab>, more: Partial<Observed> = {}): Observed {
  const desired = resolve({ ...declared, workloads: [] }, observed());
  const running = desired.clusters.reduce(
    (world, { name }) =>
      change(world, name, (one) => ({
        nodes: one.nodes.map((node) => ({
          ...node,
          networks: {
            [desired.network.name]: desired.nodes.find((at) => at.node === node.name)?.addresses ?? [],
          },
        })),
        ...(one.api && {
          api: {
            ...one.api,
            nodes: one.api.nodes.map((node) => ({
              ...node,
              podCidrs: desired.nodes.find((at) => at.node === node.name)?.podCidrs ?? [],
            })),
          },
        }),
      })),
    worldAfter(desired),
  );
  return { ...running, images: { 'lab/probe:local': 'sha256:1' }, ...more };
}

const idsOf = ({ steps }: { readonly steps: readonly { readonly id: string }[] }) => steps.map(({ id }) => id);
const planOf = (declared: ReturnType<typeof lab>, world: Observed, names = ['a', 'b', 'c']) =>
  planWorkloads(resolve(declared, world), world, names);

/** The container of a workload as the plan made it. */
function made(declared: ReturnType<typeof lab>, world: Observed, name = 'smiley') {
  const one = resolve(declared, world).workloads.find((each) => each.name === name);
  return {
    ...{ name, cluster: 'a', owner: UID, running: true, digest: `digest-${name}`, network: 'lab-practical' },
    sidecars: [],
    addresses: one?.addresses.map(({ address }) => address) ?? [],
    routes: one?.routes.map((route) => ({ ...route, ours: true })) ?? [],
  };
}

describe('an external workload', () => {
  const declared = declare(workload('color'), workload('smiley'));

  it('has addresses that neither Docker nor a load balancer hands out, and keeps them', () => {
    const { workloads, network, clusters } = resolve(declared, observed());
    expect(workloads.map(({ name, addresses }) => [name, addresses.map(({ address }) => address)])).toEqual([
      ['color', ['172.28.15.254', 'fd00:1ab::3:ffff']],
      ['smiley', ['172.28.15.253', 'fd00:1ab::3:fffe']],
    ]);
    const others = [
      ...network.subnets.map(({ ipRange }) => parseCidr(ipRange ?? '')),
      ...clusters.flatMap(({ loadBalancer }) => loadBalancer.flatMap(({ range }) => parseInterval(range) ?? [])),
    ];
    for (const { addresses } of workloads)
      for (const { address, family } of addresses)
        expect(others.some((one) => overlaps(one, parseCidr(`${address}/${family === 4 ? 32 : 128}`)))).toBe(false);
    // A new one before it in the order of names does not move it, also while it is stopped.
    const stopped = { ...made(declared, observed(), 'color'), running: false };
    const more = declare(workload('blue'), workload('color'));
    const moved = resolve(more, observed({ workloads: [stopped] })).workloads;
    expect(moved.map(({ name, addresses }) => [name, addresses[0]?.address])).toEqual([
      ['blue', '172.28.15.253'],
      ['color', '172.28.15.254'],
    ]);
  });

  it.each([
    ['172.28.15.254', 'x:1: 172.28.15.254 is taken by container other (pin another address, or none)'],
    ['172.28.0.9', 'x:1: 172.28.0.9 is in the ip-range 172.28.0.0/21 of Docker network lab-practical, whose'],
    ['10.9.9.9', 'x:1: 10.9.9.9 is outside 172.28.0.0/20 of Docker network lab-practical'],
    ['172.28.8.1', 'x:1: 172.28.8.1 is taken by the pool of a'],
    ['172.28.15.255', 'x:1: 172.28.15.255 is taken by the end of the subnet'],
  ])('cannot be pinned to %s, which is taken', (cidr, problem) => {
    const world = up(declare());
    const networks = world.networks.map((one) =>
      one.name === 'lab-practical' ? { ...one, attached: [{ name: 'other', addresses: ['172.28.15.254'] }] } : one,
    );
    const pinned = declare(workload('smiley', { addresses: [{ cidr, at: 'x:1' }] }));
    expect(errorOf(() => resolve(pinned, { ...world, networks })).text).toEqual([expect.stringContaining(problem)]);
  });

  it('is not pinned to the address of another one', () => {
    const at = (place: string) => ({ addresses: [{ cidr: '172.28.15.9', at: place }] });
    const both = declare(workload('color', at('c:1')), workload('smiley', at('s:1')));
    expect(errorOf(() => resolve(both, observed())).text).toEqual([
      expect.stringContaining('c:1: 172.28.15.9 is taken by'),
      expect.stringContaining('s:1: 172.28.15.9 is taken by'),
    ]);
  });

  it('is run with fixed addresses and the DNS of its cluster, and routed to all of its group', () => {
    const one = declare(workload('smiley'));
    const { steps } = planOf(one, up(one));
    expect(steps.map(({ id }) => id)).toEqual(['workload/smiley/run', 'workload/smiley/routes']);
    const [run, routes] = steps as RunStep[];
    expect(run?.argv.join(' ')).toContain('--ip 172.28.15.254 --ip6 fd00:1ab::3:ffff --dns 10.128.0.10 ');
    expect(run?.argv.join(' ')).toContain(`--label ${WORKLOAD_LABELS.uid}=${UID}`);
    expect(run?.argv.slice(-3)).toEqual(['--env', 'ZONE=outside', 'lab/probe:local']);
    expect(routes?.needs).toEqual(['workload/smiley/run']);
    expect(String(routes?.stdin).trim().split('\n')).toEqual([
      'ip route replace 10.0.0.0/24 via 172.28.0.2 metric 76',
      'ip route replace fd00:10::/64 via fd00:1ab::2 metric 76',
      'ip route replace 10.1.0.0/24 via 172.28.0.3 metric 76',
      'ip route replace 10.128.0.0/16 via 172.28.0.2 metric 76',
      'ip route replace fd00:96::/112 via fd00:1ab::2 metric 76',
    ]);
  });

  it('whose image is not there is pulled first, and nothing else waits for that', () => {
    const one = declare(workload('smiley'));
    const { steps } = planOf(one, up(one, { images: {} }));
    expect(steps[0]).toMatchObject({ id: 'workload/smiley/pull', argv: ['docker', 'pull', 'lab/probe:local'] });
    expect(steps[1]?.needs).toEqual(['workload/smiley/pull']);
  });

  it('is refused where its name is taken by a container or resource of another lab', () => {
    const one = declare(workload('smiley'));
    const world = up(one);
    const theirs = { ...made(one, world), owner: 'another lab' };
    expect(() => planOf(one, { ...world, workloads: [theirs] })).toThrow(
      /there is a container called smiley of another lab/,
    );
    const resource = { name: 'smiley', namespace: 'faces', owner: 'another lab', inputs: '', ready: true };
    const told = change(world, 'a', ({ api }) => ({ api: { ...(api as ApiState), workloads: [resource] } }));
    expect(() => planOf(one, told)).toThrow(/an ExternalWorkload faces\/smiley in a of another lab/);
  });

  it('is left alone when it is as it should be', () => {
    const one = declare(workload('smiley'));
    const world = up(one);
    expect(planOf(one, { ...world, workloads: [made(one, world)] }).steps).toEqual([]);
  });

  it('gets back what a restart took, and loses what leads nowhere', () => {
    const one = declare(workload('smiley'));
    const world = up(one);
    const whole = made(one, world);
    const stale = { destination: '10.9.0.0/24', via: '172.28.0.9', ours: true };
    const foreign = { ...stale, destination: '10.8.0.0/24', ours: false };
    const restarted = { ...whole, routes: [stale, foreign, ...whole.routes.slice(0, 3)] };
    const [routes] = planOf(one, { ...world, workloads: [restarted] }).steps as RunStep[];
    expect(String(routes?.stdin).trim().split('\n')).toEqual([
      'ip route del 10.9.0.0/24 via 172.28.0.9 metric 76',
      'ip route replace 10.128.0.0/16 via 172.28.0.2 metric 76',
      'ip route replace fd00:96::/112 via fd00:1ab::2 metric 76',
    ]);
    const stopped = { ...whole, running: false };
    expect(idsOf(planOf(one, { ...world, workloads: [stopped] }))).toEqual([
      'workload/smiley/start',
      'workload/smiley/routes',
    ]);
  });

  it('is made anew when its spec changed, and taken away when it is gone', () => {
    const one = declare(workload('smiley'));
    const world = up(one);
    const old = { ...made(one, world), digest: 'another' };
    expect(idsOf(planOf(one, { ...world, workloads: [old] }))).toEqual([
      'workload/smiley/discard',
      'workload/smiley/run',
      'workload/smiley/routes',
    ]);
    const theirs = { ...old, name: 'theirs', owner: OTHER_UID };
    expect(idsOf(planOf(declare(), { ...world, workloads: [old, theirs] }))).toEqual(['workload/smiley/discard']);
  });

  it('is told to a cluster that knows such resources, with its status apart', () => {
    const one = declare(workload('smiley'));
    const none = change(up(one), 'a', ({ api }) => ({ ...(api && { api: { ...api, workloads: [] } }) }));
    const world = { ...none, workloads: [made(one, none)] };
    const { steps } = planOf(one, world);
    expect(idsOf({ steps })).toEqual(['workload/smiley/resource', 'workload/smiley/ready']);
    const [resource, ready] = steps as RunStep[];
    expect(resource?.stdin).toContain('apiVersion: workload.linkerd.io/v1beta1');
    expect(resource?.stdin).toMatch(/identity: "?spiffe:\/\/root\.linkerd\.cluster\.local\/smiley/);
    expect(ready?.argv).toEqual(expect.arrayContaining(['--subresource', 'status']));
    const desired = resolve(one, world).workloads[0];
    if (!desired) throw new Error('no workload');
    const known = { name: 'smiley', namespace: 'faces', owner: UID, inputs: inputsOf(desired), ready: true };
    const knowing = (...workloads: (typeof known)[]) =>
      change(world, 'a', ({ api }) => ({ ...(api && { api: { ...api, workloads } }) }));
    expect(planOf(one, knowing(known)).steps).toEqual([]);
    expect(idsOf(planOf(one, knowing({ ...known, ready: false })))).toEqual(idsOf({ steps }));
    expect(idsOf(planOf(declare(), { ...knowing(known), workloads: [] }))).toEqual(['workload/smiley/forget']);
  });

  it('shows in status, stops with its cluster, and goes with it', () => {
    const one = declare(workload('smiley'));
    const world = up(one);
    const rowOf = (seen: Observed) =>
      statusRows(resolve(one, seen), seen, ['a']).find(({ thing }) => thing === 'workload');
    expect(rowOf(world)).toMatchObject({ result: 'drift', have: 'smiley: absent', want: 'running, 5 routes' });
    const running = { ...world, workloads: [made(one, world)] };
    expect(rowOf(running)).toMatchObject({ result: 'ok', have: 'smiley: running, 5 routes' });
    const { routes: _, ...unread } = made(one, world);
    expect(rowOf({ ...world, workloads: [unread] })).toMatchObject({ result: 'unknown' });
    const [stop] = planStop(resolve(one, running), running, ['a']).steps as RunStep[];
    expect(stop?.argv).toEqual(['docker', 'stop', 'a-control-plane', 'smiley']);
    const request = { lab: { name: 'practical', uid: UID }, names: ['a', 'b', 'c'], adopt: false };
    const deleted = planDelete(running, request);
    expect(idsOf(deleted)[0]).toBe('workload/smiley/discard');
    const network = deleted.steps.find(({ id }) => id === 'network/lab-practical');
    expect(network?.needs).toContain('workload/smiley/discard');
  });

  it('waits for a cluster that does not run', () => {
    const one = declare(workload('smiley'));
    const plan = planOf(one, observed());
    expect(plan.steps).toEqual([]);
    expect(plan.warnings).toContain('a does not run: its workloads are left alone');
  });
});
