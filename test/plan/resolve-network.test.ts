import { describe, expect, it } from 'vitest';
import { resolve } from '../../src/plan/resolve.ts';
import { cluster, dockerNetwork, errorOf, foreign, lab, OTHER_UID, OUR_LABELS, observed } from './build-lab.ts';

/** What kind makes for itself: IPv6 first, and no gateway for it on engines up to 28. */
const KIND = dockerNetwork('kind', [
  { cidr: 'fc00:f853:ccd:e793::/64' },
  { cidr: '172.18.0.0/16', gateway: '172.18.0.1' },
]);
const adopting = { network: { name: 'kind', adopt: true } };
const networkOf = (...args: Parameters<typeof resolve>) => resolve(...args).network;

describe('a new network', () => {
  it('has both families, IPv4 first, and leaves the upper half to pools', () => {
    expect(networkOf(lab(['smiley']), observed())).toEqual({
      name: 'lab-practical',
      adopt: false,
      labels: OUR_LABELS,
      subnets: [
        {
          range: '172.28.0.0/20',
          family: 4,
          gateway: '172.28.0.1',
          ipRange: '172.28.0.0/21',
          reason: 'first free /20 of 172.28.0.0/14',
        },
        {
          range: 'fd00:1ab::/64',
          family: 6,
          gateway: 'fd00:1ab::1',
          ipRange: 'fd00:1ab::/112',
          reason: 'first free /64 of fd00:1ab::/48',
        },
      ],
    });
  });

  it.each([
    ['172.30.0.0/16', '172.30.0.0/17'],
    ['172.30.16.0/20', '172.30.16.0/21'],
    ['192.168.9.0/24', '192.168.9.0/25'],
    ['192.168.9.64/26', '192.168.9.64/27'],
    ['fd12::/64', 'fd12::/112'],
    ['fd12::/48', 'fd12::/112'],
    ['fd12::/120', 'fd12::/121'],
  ])('is as pinned: %s keeps %s for nodes', (subnet, ipRange) => {
    const { subnets } = networkOf(lab(['a'], { network: { subnets: [subnet] } }), observed());
    expect(subnets).toHaveLength(2);
    expect(subnets).toContainEqual(
      expect.objectContaining({ range: subnet, ipRange, reason: 'pinned in lab.yaml:subnets:1' }),
    );
  });

  it('takes the pinned ip-range', () => {
    const words = { network: { subnets: ['172.30.0.0/16'], ipRange: '172.30.4.0/22' } };
    expect(networkOf(lab(['a'], words), observed()).subnets).toMatchObject([
      { range: '172.30.0.0/16', ipRange: '172.30.4.0/22' },
      { range: 'fd00:1ab::/64', ipRange: 'fd00:1ab::/112' },
    ]);
  });

  it('is larger for a lab of many nodes, and smaller where little is free', () => {
    const many = Array.from({ length: 30 }, (_, n) => cluster(`c${n}`, { nodes: { workers: 99 } }));
    expect(networkOf(lab(many), observed()).subnets[0]?.range).toBe('172.28.0.0/18');
    const ranges = { networks: { v4: '172.28.0.0/22', v6: 'fd00:1ab::/48' } };
    const world = observed({ networks: [dockerNetwork('x', ['172.28.0.0/23'])] });
    expect(networkOf(lab(['a'], { ranges }), world).subnets[0]?.range).toBe('172.28.2.0/23');
  });

  it('has no IPv6 where the kernel has it switched off', () => {
    const world = observed({ host: { platform: 'linux', routes: [], resolvers: [], portsInUse: [], ipv6: false } });
    expect(networkOf(lab(['a']), world).subnets.map(({ family }) => family)).toEqual([4]);
  });

  it('avoids host routes while there is room, and takes them into account when there is none', () => {
    const withRoutes = (...routes: string[]) =>
      observed({
        host: {
          platform: 'linux',
          routes: routes.map((cidr) => ({ cidr, via: 'tun0' })),
          resolvers: [],
          portsInUse: [],
        },
      });
    const beside = resolve(lab(['a']), withRoutes('172.28.0.0/16'));
    expect(beside.network.subnets[0]?.range).toBe('172.29.0.0/20');
    expect(beside.warnings).toEqual([]);
    // A smaller one beside them, while the lab fits.
    expect(networkOf(lab(['a']), withRoutes('172.28.0.0/15', '172.30.1.0/16', '172.31.0.0/17'))).toMatchObject({
      subnets: [{ range: '172.31.128.0/20' }, {}],
    });
    const pool = { ranges: { networks: { v4: '172.28.0.0/20', v6: 'fd00:1ab::/48' } } };
    expect(networkOf(lab(['a'], pool), withRoutes('172.28.0.0/22')).subnets[0]?.range).toBe('172.28.8.0/21');
    const over = resolve(lab(['a']), withRoutes('172.16.0.0/12'));
    expect(over.network.subnets[0]).toMatchObject({
      range: '172.28.0.0/20',
      reason: 'first free /20 of 172.28.0.0/14, although the host uses it',
    });
    expect(over.warnings).toEqual([
      "subnet of lab-practical: 172.28.0.0/20 overlaps the host's route via tun0 (172.16.0.0/12), because no room is left beside it",
    ]);
  });

  it('takes the whole of a pool that is small', () => {
    const ranges = { networks: { v4: '172.28.0.0/26', v6: 'fd00:1ab:0:0:1::/80' } };
    expect(networkOf(lab(['a'], { ranges }), observed()).subnets).toMatchObject([
      { range: '172.28.0.0/26', ipRange: '172.28.0.0/27' },
      { range: 'fd00:1ab:0:0:1::/80', ipRange: 'fd00:1ab:0:0:1::/112' },
    ]);
  });

  it("carries packets as large as Docker's default network does", () => {
    const world = observed();
    const networks = world.networks.map((one) => (one.name === 'bridge' ? { ...one, mtu: '1450' } : one));
    expect(networkOf(lab(['a']), { ...world, networks }).mtu).toBe('1450');
    expect(networkOf(lab(['a']), world)).not.toHaveProperty('mtu');
  });

  it('says who takes the room when there is none', () => {
    const world = observed({
      networks: [dockerNetwork('big', ['172.28.0.0/15']), dockerNetwork('other', ['172.30.0.0/15'])],
    });
    expect(errorOf(() => resolve(lab(['a']), world))).toEqual({
      exitCode: 3,
      text: [
        'no room for a Docker network in 172.28.0.0/14: it is taken by Docker network big (172.28.0.0/15), Docker network other (172.30.0.0/15)',
      ],
      hint: 'name another pool in lab.yaml (spec.ranges.networks.v4), or remove unused networks: docker network prune',
    });
  });

  it('is not planned over what others hold', () => {
    const pinned = lab(['a'], { network: { subnets: ['172.20.0.0/16'] } });
    const world = observed({ networks: [dockerNetwork('theirs', ['172.20.128.0/17'])] });
    expect(errorOf(() => resolve(pinned, world))).toMatchObject({
      exitCode: 2,
      text: [
        'lab.yaml:subnets:1: 172.20.0.0/16 is held by Docker network theirs (172.20.128.0/17) (pin another range, or leave it to the planner)',
      ],
    });
    const hostBits = observed({ networks: [dockerNetwork('theirs', ['172.20.0.5/16'])] });
    expect(errorOf(() => resolve(pinned, hostBits)).text[0]).toContain('is held by Docker network theirs (pin');
  });
});

describe('a network that is there', () => {
  it('is used as it is when it is ours', () => {
    const own = dockerNetwork('lab-practical', [{ cidr: '172.19.0.0/24', gateway: '172.19.0.254' }], {
      labels: OUR_LABELS,
    });
    expect(networkOf(lab(['a']), observed({ networks: [own] })).subnets).toEqual([
      {
        range: '172.19.0.0/24',
        family: 4,
        gateway: '172.19.0.254',
        reason: 'Docker network lab-practical has it',
      },
    ]);
  });

  it("is adopted, kind's own too: by family, with the gateway that is not shown", () => {
    const desired = networkOf(lab([cluster('a', { ipFamily: 'dual' })], adopting), observed({ networks: [KIND] }));
    expect(desired).toMatchObject({
      name: 'kind',
      adopt: true,
      subnets: [
        { range: '172.18.0.0/16', gateway: '172.18.0.1' },
        { range: 'fc00:f853:ccd:e793::/64', gateway: 'fc00:f853:ccd:e793::1' },
      ],
    });
    expect(desired.subnets.map((subnet) => 'ipRange' in subnet)).toEqual([false, false]);
  });

  it('may show host bits, as engines up to 28 do', () => {
    const network = dockerNetwork('kind', [{ cidr: '172.18.0.1/16' }]);
    const declared = lab(['a'], { network: { ...adopting.network, subnets: ['172.18.0.0/16'] } });
    expect(networkOf(declared, observed({ networks: [network] })).subnets).toMatchObject([{ range: '172.18.0.0/16' }]);
  });

  it("is refused when it is somebody else's", () => {
    const theirs = (labels: Record<string, string>) =>
      observed({ networks: [dockerNetwork('lab-practical', ['172.19.0.0/16'], { labels })] });
    const hint = 'use it as it is (spec.network.adopt: lab-practical), or choose another spec.network.name';
    expect(errorOf(() => resolve(lab(['a']), theirs({})))).toMatchObject({
      exitCode: 2,
      text: [`lab.yaml:4: Docker network lab-practical exists and was not made by lab (${hint})`],
    });
    const labels = { 'lab.uid': OTHER_UID, 'lab.name': 'practical', 'lab.dir': '/other/clusters' };
    expect(errorOf(() => resolve(lab(['a']), theirs(labels))).text).toEqual([
      `lab.yaml:4: Docker network lab-practical exists and belongs to lab practical in /other/clusters (${hint})`,
    ]);
  });

  it('is refused when Docker has two of the name', () => {
    const twins = ['abcdefabcdef1111', 'fedcbafedcba2222'].map((id) => ({ ...KIND, id }));
    expect(errorOf(() => resolve(lab(['a'], adopting), observed({ networks: twins })))).toEqual({
      exitCode: 3,
      text: ['Docker has 2 networks called kind: abcdefabcdef, fedcbafedcba'],
      hint: 'remove one: docker network rm fedcbafedcba',
    });
  });

  it('cannot be adopted when it is not there; without an engine that is not known', () => {
    const declared = lab(['a'], adopting);
    expect(errorOf(() => resolve(declared, observed()))).toMatchObject({
      exitCode: 2,
      text: [
        'lab.yaml:4: there is no Docker network kind to adopt (docker network create kind, or leave out network.adopt)',
      ],
    });
    const { engine: _, ...away } = observed();
    expect(resolve(declared, away).warnings).toEqual([
      'no engine answers: planned as if nothing but this lab used it; ranges may differ once one does',
    ]);
  });

  it('must have the families of the clusters and the pinned subnets', () => {
    const v4Only = dockerNetwork('kind', ['172.18.0.0/16']);
    const six = cluster('six', { ipFamily: 'ipv6' });
    const dual = cluster('dual', { ipFamily: 'dual' });
    const world = observed({ networks: [v4Only] });
    const hint = 'adopt a network that has it, or let lab make one (leave out network.adopt)';
    expect(errorOf(() => resolve(lab([six, dual, 'four'], adopting), world))).toMatchObject({
      exitCode: 2,
      text: [
        `dual.yaml:3: cluster dual is dual, but Docker network kind has no IPv6 (${hint})`,
        `six.yaml:3: cluster six is ipv6, but Docker network kind has no IPv6 (${hint})`,
      ],
    });
    const own = dockerNetwork('lab-practical', ['fd00:1ab::/64'], { labels: OUR_LABELS });
    const pinned = lab(['four'], { network: { subnets: ['172.20.0.0/16'] } });
    expect(errorOf(() => resolve(pinned, observed({ networks: [own] }))).text).toEqual([
      'four.yaml:3: cluster four is ipv4, but Docker network lab-practical has no IPv4 (change ipFamily)',
      "lab.yaml:subnets:1: the lab's network lab-practical exists without 172.20.0.0/16 (delete the lab first, or take back the change)",
    ]);
  });

  it('is kept clear of pods and services', () => {
    const own = dockerNetwork('lab-practical', ['10.0.0.0/16'], { labels: OUR_LABELS });
    const [a] = resolve(lab(['a']), observed({ networks: [own] })).clusters;
    expect(a?.pods).toMatchObject([{ range: '10.1.0.0/16' }]);
    const pinned = lab([cluster('a', { pods: ['10.0.0.0/17'] })]);
    expect(errorOf(() => resolve(pinned, observed({ networks: [own] }))).text[0]).toContain(
      'a.yaml:pods:1: 10.0.0.0/17 is held by Docker network lab-practical (10.0.0.0/16)',
    );
    const running = foreign('x', { ranges: { pods: ['172.28.0.0/17'], services: [] } });
    expect(networkOf(lab(['a']), observed({ clusters: [running] })).subnets[0]?.range).toBe('172.28.128.0/20');
  });
});
