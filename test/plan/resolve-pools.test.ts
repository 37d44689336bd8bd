import { describe, expect, it } from 'vitest';
import type { Observed, Subnet } from '../../src/lab/observed.ts';
import { resolve } from '../../src/plan/resolve.ts';
import {
  change,
  cluster,
  dockerNetwork,
  errorOf,
  foreign,
  type LabWords,
  lab,
  OTHER_UID,
  OUR_LABELS,
  observed,
  worldAfter,
} from './build-lab.ts';

const own = (subnets: (string | Subnet)[], attached: string[] = []): Observed =>
  observed({
    networks: [
      dockerNetwork('lab-practical', subnets, {
        labels: OUR_LABELS,
        attached: attached.map((address, index) => ({ name: `c${index}`, addresses: [address] })),
      }),
    ],
  });

const size = (n: number, sizeAt?: string): LabWords => ({
  ranges: { loadBalancer: { size: n, ...(sizeAt && { sizeAt }) } },
});

const poolsOf = (clusters: Parameters<typeof lab>[0], world: Observed, words?: LabWords) =>
  resolve(lab(clusters, words), world).clusters.map(({ loadBalancer }) =>
    loadBalancer.map(({ range }) => range).join(' '),
  );

const DUAL = [cluster('a', { ipFamily: 'dual' }), cluster('b', { ipFamily: 'dual' })];

describe('pools', () => {
  it.each([
    ['172.30.0.0/16', '172.30.0.0/17', ['172.30.128.0/28', '172.30.128.16/28']],
    ['172.30.16.0/20', '172.30.16.0/21', ['172.30.24.0/28', '172.30.24.16/28']],
    ['192.168.9.0/24', '192.168.9.0/25', ['192.168.9.128/28', '192.168.9.144/28']],
    // The broadcast address is the last of it, so only half as large ones fit.
    ['192.168.9.64/26', '192.168.9.64/27', ['192.168.9.96/29', '192.168.9.104/29']],
    // From the middle of the ip-range on.
    ['192.168.9.0/24', '192.168.9.64/26', ['192.168.9.16/28', '192.168.9.32/28']],
  ])('come from %s outside %s', (cidr, ipRange, expected) => {
    expect(poolsOf(['a', 'b'], own([{ cidr, ipRange, gateway: cidr.replace(/\.0\/.*/, '.1') }]))).toEqual(expected);
  });

  it.each([
    ['172.30.0.0/16', ['172.30.255.224/28', '172.30.255.208/28']],
    ['172.30.16.0/20', ['172.30.31.224/28', '172.30.31.208/28']],
    ['192.168.9.0/24', ['192.168.9.224/28', '192.168.9.208/28']],
    ['192.168.9.64/26', ['192.168.9.96/28', '192.168.9.80/28']],
  ])('come from the top of %s when it has no ip-range', (cidr, expected) => {
    expect(poolsOf(['a', 'b'], own([cidr]))).toEqual(expected);
  });

  it('leave room below for nodes when there is no ip-range, and shrink for it', () => {
    expect(poolsOf(['a'], own(['192.168.9.0/27']), size(8))).toEqual(['192.168.9.16/29']);
    // Nodes and helpers may get addresses up to 192.168.9.8, so there is no room for a second one of eight.
    expect(poolsOf(['a', 'b'], own(['192.168.9.0/27']), size(8))).toEqual(['192.168.9.24/30', '192.168.9.20/30']);
  });

  it('have both families in the order IPv4, IPv6', () => {
    const subnets = [{ cidr: 'fd00:1ab::/64', ipRange: 'fd00:1ab::/112' }, { cidr: '172.30.0.0/16' }];
    expect(poolsOf(DUAL, own(subnets))).toEqual([
      '172.30.255.224/28 fd00:1ab::1:0/124',
      '172.30.255.208/28 fd00:1ab::1:10/124',
    ]);
    expect(poolsOf(DUAL, own(['fd00:1ab::/48', '172.30.0.0/16']))[0]).toBe(
      '172.30.255.224/28 fd00:1ab:0:ffff:ffff:ffff:ffff:fff0/124',
    );
  });

  it('keep off addresses that containers hold, and off pools of others', () => {
    const world = own([{ cidr: '192.168.9.0/24', ipRange: '192.168.9.0/25' }], ['192.168.9.130', '192.168.9.3']);
    expect(poolsOf(['a'], world)).toEqual(['192.168.9.144/28']);
    const fixed = {
      version: 1,
      lab: 'o',
      uid: OTHER_UID,
      dir: '',
      fixed: {},
      pods: [],
      services: [],
      images: {},
    } as const;
    const others = {
      ...world,
      clusters: [foreign('x', { applied: { ...fixed, loadBalancer: ['192.168.9.144-192.168.9.150'] } })],
      reservations: [{ uid: OTHER_UID, lab: 'other', cidr: '192.168.9.160/28', use: 'pool of y' }],
    };
    expect(poolsOf(['a'], others)).toEqual(['192.168.9.176/28']);
  });

  it('are as large as asked for, or smaller when no size was asked for', () => {
    const world = own([{ cidr: '192.168.9.0/24', ipRange: '192.168.9.0/25' }]);
    expect(poolsOf(['a'], world, size(100))).toEqual(['192.168.9.128/26']);
    // A size that somebody wrote is the least there has to be.
    expect(poolsOf(['a'], world, size(20))).toEqual(['192.168.9.128/28']);
    expect(poolsOf(['a'], world, size(20, 'lab.yaml:9:5'))).toEqual(['192.168.9.128/27']);
    expect(poolsOf(['a'], world, size(16, 'lab.yaml:9:5'))).toEqual(['192.168.9.128/28']);
    const many = Array.from({ length: 40 }, (_, n) => `c${n + 10}`);
    expect(poolsOf(many, world).slice(0, 2)).toEqual(['192.168.9.128/31', '192.168.9.130/31']);
    expect(errorOf(() => poolsOf(many, world, size(16, 'lab.yaml:9:5')))).toEqual({
      exitCode: 2,
      text: [
        'lab.yaml:9:5: no room for 40 pools of 16 addresses in 192.168.9.0/24 of Docker network lab-practical: it is taken by the ip-range (192.168.9.0/25), the end of the subnet (192.168.9.0/32), the end of the subnet (192.168.9.255/32), the gateway (192.168.9.1/32) (a smaller size fits more pools)',
      ],
      hint: undefined,
    });
  });

  it('say what helps when not even one address each is left', () => {
    const world = own([{ cidr: '192.168.9.0/29', ipRange: '192.168.9.0/30' }]);
    expect(errorOf(() => poolsOf(['a', 'b', 'c', 'd'], world))).toMatchObject({
      exitCode: 2,
      text: [
        expect.stringMatching(
          /^lab\.yaml:4: no room for 4 pools of even one address in 192\.168\.9\.0\/29 .* \(use a larger network \(spec\.network\.subnets\), or a smaller ip-range\)$/,
        ),
      ],
    });
  });

  it('are none without a load balancer', () => {
    const none = { loadBalancer: { addon: 'none', manifest: { location: '' } } } as const;
    expect(poolsOf(['a'], observed(), none)).toEqual(['']);
  });

  it('stay with a running cluster, and are chosen anew when the network is another', () => {
    const first = resolve(lab(['m']), observed());
    const world = worldAfter(first);
    expect(poolsOf(['a', 'm'], world)).toEqual(['172.28.8.16/28', '172.28.8.0/28']);
    const moved = change(world, 'm', ({ applied }) =>
      applied ? { applied: { ...applied, loadBalancer: ['10.9.9.0/28'] } } : {},
    );
    expect(poolsOf(['m'], moved)).toEqual(['172.28.8.0/28']);
  });
});

describe('pinned pools', () => {
  const world = own([{ cidr: '192.168.9.0/24', gateway: '192.168.9.1', ipRange: '192.168.9.0/25' }], ['192.168.9.130']);
  const pinned = (range: string) => () => resolve(lab([cluster('a', { pool: [range] }), 'm']), world);

  it('are taken as they are', () => {
    expect(pinned('192.168.9.200-192.168.9.203')().clusters.map(({ loadBalancer }) => loadBalancer)).toMatchObject([
      [{ range: '192.168.9.200-192.168.9.203', reason: 'pinned in a.yaml:pool:1' }],
      [
        {
          range: '192.168.9.144/28',
          reason: '16 addresses of Docker network lab-practical, outside its ip-range 192.168.9.0/25',
        },
      ],
    ]);
  });

  it.each([
    [
      '192.168.8.200-192.168.9.5',
      'pool 192.168.8.200-192.168.9.5 is outside 192.168.9.0/24 of Docker network lab-practical (only addresses of the network itself answer on it)',
    ],
    [
      '192.168.9.120-192.168.9.135',
      'pool 192.168.9.120-192.168.9.135 is in the ip-range 192.168.9.0/25 of Docker network lab-practical, whose addresses Docker gives to nodes (pin addresses outside it, or another spec.network.ipRange)',
    ],
    ['192.168.9.128/29', 'pool 192.168.9.128/29 holds 192.168.9.130/32, container c0 (pin another pool)'],
    ['192.168.9.255/32', 'pool 192.168.9.255/32 holds 192.168.9.255/32, the end of the subnet (pin another pool)'],
  ])('are refused: %s', (range, message) => {
    expect(errorOf(pinned(range))).toMatchObject({ exitCode: 2, text: [`a.yaml:pool:1: ${message}`] });
  });

  it('may not be what a running cluster has, whatever the order of names', () => {
    const running = worldAfter(resolve(lab(['m']), observed()));
    for (const name of ['a', 'z']) {
      const declared = lab([cluster(name, { pool: ['172.28.8.8/29'] }), 'm']);
      expect(errorOf(() => resolve(declared, running)).text).toEqual([
        `${name}.yaml:pool:1: pool 172.28.8.8/29 holds 172.28.8.0/28, pool of m (pin another pool)`,
      ]);
    }
  });
});
