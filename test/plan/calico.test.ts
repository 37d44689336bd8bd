import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import type { Observed } from '../../src/lab/observed.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { planDelete } from '../../src/plan/plan-delete.ts';
import { planRepair } from '../../src/plan/plan-repair.ts';
import { planRoute } from '../../src/plan/plan-routing.ts';
import { preflight } from '../../src/plan/preflight.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { roadsNow } from '../../src/plan/simulate.ts';
import { statusRows } from '../../src/plan/status.ts';
import { simulateCells } from '../../src/plan/verify-cells.ts';
import { insideQuestions } from '../../src/plan/verify-inside.ts';
import type { RunStep } from '../../src/step/step.ts';
import { calico, change, cluster, errorOf, lab, observed, planOf, UID, worldAfter } from './build-lab.ts';

const PAIR = lab([
  cluster('cali', { ...calico(), group: 'g', ipFamily: 'dual', nodes: { workers: 1 } }),
  cluster('plain', { group: 'g', ipFamily: 'dual' }),
]);

type Pools = { readonly name: string; readonly cidr: string }[];

/** Both clusters up, with addresses, and these pools of peers in the one with Calico. */
function up(peerPools: Pools): Observed {
  const desired = resolve(PAIR, observed());
  const world = worldAfter(desired);
  const placed = desired.nodes;
  const running = ['cali', 'plain'].reduce(
    (seen, name) =>
      change(seen, name, (one) => ({
        nodes: one.nodes.map((node) => ({
          ...node,
          networks: { [desired.network.name]: [...(placed.find((at) => at.node === node.name)?.addresses ?? [])] },
        })),
        certificates: Object.fromEntries(
          one.nodes.map((node) => [node.name, placed.find((at) => at.node === node.name)?.addresses ?? []]),
        ),
        ...(one.api && {
          api: {
            ...one.api,
            nodes: one.api.nodes.map((node) => ({
              ...node,
              podCidrs: placed.find((at) => at.node === node.name)?.podCidrs ?? [],
            })),
            ...(name === 'cali' && { calico: { ready: true, peerPools } }),
          },
        }),
      })),
    world,
  );
  const nothing = { routes: [], rules: [], masquerading: [] };
  return { ...running, nodeNetworks: Object.fromEntries(placed.map(({ node }) => [node, nothing])) };
}

const TOLD: Pools = [
  { name: 'lab-plain-v4', cidr: '10.1.0.0/16' },
  { name: 'lab-plain-v6', cidr: 'fd00:10:0:100::/56' },
];
const idsOf = ({ steps }: { readonly steps: readonly { readonly id: string }[] }) => steps.map(({ id }) => id);

describe('a cluster with Calico', () => {
  it('gets its pools from the planner, with blocks that every node can have one of', () => {
    const poolsOf = (...args: Parameters<typeof cluster>) =>
      resolve(lab([cluster(...args)]), observed()).clusters[0]?.podPools;
    expect(poolsOf('a', { ...calico(), ipFamily: 'dual' })).toEqual([
      { cidr: '10.0.0.0/16', family: 4, blockSize: 26 },
      { cidr: 'fd00:10::/56', family: 6, blockSize: 122 },
    ]);
    const small = { pods: ['10.4.0.0/26'], nodeMask: [27, 64] as const, nodes: { workers: 1 } };
    expect(poolsOf('a', { ...calico(), ...small })).toEqual([{ cidr: '10.4.0.0/26', family: 4, blockSize: 27 }]);
    // The range of the workshop is a matter of the node mask.
    const text = { ...calico(), ipFamily: 'ipv6' as const, nodeMask: [24, 120] as const };
    expect(poolsOf('a', text)).toEqual([{ cidr: 'fd00:10::/104', family: 6, blockSize: 122 }]);
    const large = calico({ blockSize: [20, 122] });
    expect(errorOf(() => resolve(lab([cluster('a', { ...large, pods: ['10.4.0.0/22'] })]), observed())).text).toEqual([
      'calico.yaml:7:5: pool 10.4.0.0/22 of a has not a block of /20 for each of its nodes (1) (use a larger pool, or smaller blocks)',
    ]);
  });

  it('waits for its nodes only once Calico is on its way, and for nothing else before that', () => {
    const { steps } = planOf(PAIR, observed());
    const needs = Object.fromEntries(steps.map((step) => [step.id, step.needs]));
    expect(needs['cali/calico']).toEqual(['cali/create']);
    expect(needs['cali/calico-pools']).toEqual(['cali/calico']);
    expect(needs['cali/nodes']).toEqual(['cali/calico-pools']);
    expect(needs['cali/calico-node']).toEqual(['cali/nodes']);
    expect(needs['cali/record']).toEqual(['cali/calico-node']);
    expect(needs['cali/metallb']).toEqual(['cali/calico-node']);
    expect(needs['plain/nodes']).toEqual(['plain/create']);
  });

  it.each([
    ['VXLANCrossSubnet', 'iptables', 'Disabled', 'Iptables', ['VXLANCrossSubnet', 'VXLANCrossSubnet']],
    ['IPIP', 'nftables', 'Enabled', 'Nftables', ['IPIP', 'None']],
    ['None', 'ipvs', 'Enabled', 'Iptables', ['None', 'None']],
  ] as const)('with %s and %s says everything of its pools', (encapsulation, proxyMode, bgp, dataplane, per) => {
    const declared = lab([cluster('a', { ...calico({ encapsulation }), ipFamily: 'dual', proxyMode })]);
    const step = planOf(declared, observed()).steps.find(({ id }) => id === 'a/calico-pools') as RunStep;
    const { spec } = parse(step.stdin as string);
    expect(spec.calicoNetwork).toMatchObject({ bgp, linuxDataplane: dataplane });
    expect(spec.calicoNetwork.ipPools).toMatchObject(
      per.map((one) => ({ encapsulation: one, natOutgoing: 'Enabled', nodeSelector: 'all()' })),
    );
  });

  it('cannot become one, nor change its pools, in place', () => {
    const plain = lab([cluster('a')]);
    const world = worldAfter(resolve(plain, observed()));
    const now = lab([cluster('a', calico())]);
    expect(errorOf(() => planOf(now, world)).text[0]).toContain(
      'network.cni: kindnet → calico, VXLANCrossSubnet, 10.0.0.0/16 in /26',
    );
  });

  it('is reached by way of one node, and is told of the pods of its peers', () => {
    const world = up([]);
    const plan = planRoute(resolve(PAIR, world), world, ['cali']);
    expect(idsOf(plan)).toEqual([
      ...['cali/routing/cali-control-plane', 'cali/routing/cali-worker', 'plain/routing/plain-control-plane'],
      'cali/peer-pools',
    ]);
    const [toPeer, , toCalico, pools] = plan.steps as RunStep[];
    // Its own nodes have no rule to keep addresses: the pools do that.
    expect(toPeer?.stdin).not.toContain('iptables');
    expect(String(toCalico?.stdin).match(/ip route .*/g)).toEqual([
      'ip route replace 10.0.0.0/16 via 172.28.0.2 metric 76',
      'ip route replace fd00:10::/56 via fd00:1ab::2 metric 76',
    ]);
    expect(parseAllDocuments(pools?.stdin as string).map((one) => one.toJS())).toMatchObject(
      TOLD.map(({ name, cidr }) => ({
        apiVersion: 'crd.projectcalico.org/v1',
        metadata: { name },
        spec: { cidr, disabled: true, natOutgoing: false },
      })),
    );
    expect(idsOf(planRoute(resolve(PAIR, up(TOLD)), up(TOLD), ['cali']))).not.toContain('cali/peer-pools');
  });

  it('is told again when a hand took a pool away or a peer got another range, and forgets what is stale', () => {
    const stale = [
      { name: 'lab-gone-v4', cidr: '10.9.0.0/16' },
      { name: 'lab-plain-v4', cidr: '10.7.0.0/16' },
    ];
    const world = up(stale);
    const { steps } = planRepair(resolve(PAIR, world), world, ['cali']);
    const removal = steps.find(({ id }) => id === 'cali/peer-pools-stale') as RunStep;
    expect(removal.argv).toEqual(expect.arrayContaining(['delete', 'lab-gone-v4', 'lab-plain-v4']));
    expect(steps.find(({ id }) => id === 'cali/peer-pools')?.needs).toEqual(['cali/peer-pools-stale']);
    const rows = statusRows(resolve(PAIR, world), world, ['cali']);
    expect(rows.find(({ thing }) => thing === 'exemptions')).toMatchObject({ result: 'drift', have: '0', want: '2' });
    expect(rows.find(({ thing }) => thing === 'routes')?.have).toContain('2 stale');
    expect(rows.find(({ thing }) => thing === 'pod network')).toMatchObject({ result: 'ok', have: 'calico' });
  });

  it('forgets a peer that is deleted', () => {
    const world = up(TOLD);
    const { steps } = planDelete(world, { lab: { name: 'practical', uid: UID }, names: ['plain'], adopt: false });
    expect((steps.find(({ id }) => id === 'cali/peer-pools-stale') as RunStep).argv).toEqual(
      expect.arrayContaining(['lab-plain-v4', 'lab-plain-v6']),
    );
  });

  it('keeps the addresses of its pods only towards pods that it is told of', () => {
    const failed = (peerPools: Pools) => {
      const world = up(peerPools);
      const desired = resolve(PAIR, world);
      const routes = desired.routing.map(({ node, routes }) => [
        node,
        { routes: routes.map((route) => ({ ...route, ours: true })), rules: [], masquerading: [] },
      ]);
      const roads = roadsNow(desired, { ...world, nodeNetworks: Object.fromEntries(routes) });
      return simulateCells(desired, ['cali'], roads).filter(({ result }) => result === 'failed');
    };
    expect(failed(TOLD)).toEqual([]);
    expect(failed([]).map(({ from, reason }) => [from.node, reason])).toContainEqual([
      'cali-worker',
      'masqueraded by chain cali-nat-outgoing on cali-worker',
    ]);
  });
});

describe('the kernel', () => {
  const checks = (words: Parameters<typeof cluster>[1], kernel: NonNullable<Observed['host']['kernel']>) => {
    const declared = lab([cluster('a', words)]);
    const world = observed();
    const seen = { ...world, host: { ...world.host, kernel } };
    const desired = resolve(declared, seen);
    const changes = diffForCreate(desired, seen, { names: ['a'], recreate: [] });
    return preflight(desired, seen, changes).filter(({ name }) => name === 'kernel');
  };

  it.each([
    [{ proxyMode: 'ipvs' as const }, 'ip_vs', 'network.proxyMode ipvs'],
    [calico(), 'vxlan', 'network.calico.encapsulation VXLANCrossSubnet'],
    [calico({ encapsulation: 'IPIP' }), 'ipip', 'network.calico.encapsulation IPIP'],
  ] as const)('is looked at before anything is made: %j', (words, feature, because) => {
    expect(checks(words, { [feature]: false })).toMatchObject([
      { result: 'failed', detail: `this kernel has no ${feature}, and a need it (${because})` },
    ]);
    expect(checks(words, { [feature]: true })).toMatchObject([{ result: 'ok' }]);
    // Of an engine elsewhere nothing is known.
    expect(checks(words, {})).toEqual([]);
    expect(checks({}, { [feature]: false })).toEqual([]);
  });
});

describe('verify inside of a cluster whose pod network was put there', () => {
  const target = (pods: readonly (readonly string[])[]) => ({
    cluster: 'cali',
    pods: pods.map((addresses, index) => ({ cluster: 'cali', node: `n${index}`, addresses })),
    pool: [],
    dns: [],
    services: ['10.128.0.9', 'fd00:96::9'],
  });
  const asked = (pods: readonly (readonly string[])[]) =>
    insideQuestions({ desired: resolve(PAIR, observed()), names: ['cali', 'plain'], targets: [target(pods)] }).map(
      ({ from, to, family, problem }) => [from.node, to.name, family, problem],
    );

  it('asks each other node and a service in each family', () => {
    expect(
      asked([
        ['10.0.0.2', 'fd00:10::2'],
        ['10.0.1.2', 'fd00:10::1:2'],
      ]),
    ).toEqual([
      ['n0', 'n1', 4, undefined],
      ['n0', 'service 10.128.0.9', 4, undefined],
      ['n1', 'n0', 4, undefined],
      ['n1', 'service 10.128.0.9', 4, undefined],
      ['n0', 'n1', 6, undefined],
      ['n0', 'service fd00:96::9', 6, undefined],
      ['n1', 'n0', 6, undefined],
      ['n1', 'service fd00:96::9', 6, undefined],
    ]);
  });

  it('names a pod that lacks an address of a family', () => {
    expect(asked([['10.0.0.2']])).toEqual([
      ['n0', 'service 10.128.0.9', 4, undefined],
      ['n0', 'n0', 6, 'the pod on n0 has no IPv6 address'],
    ]);
  });
});
