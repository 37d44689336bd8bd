import { describe, expect, it } from 'vitest';
import type { Observed } from '../../src/lab/observed.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { preflight } from '../../src/plan/preflight.ts';
import { resolve } from '../../src/plan/resolve.ts';
import { cluster, dockerNetwork, lab, OUR_LABELS, observed, worldAfter } from './build-lab.ts';

const GiB = 2 ** 30;
const SEVEN = ['cdn', 'color', 'color-b', 'faces', 'faces-dr', 'smiley', 'smiley-dr'];

function checks(declared: ReturnType<typeof lab>, world: Observed, names = declared.clusters.map(({ name }) => name)) {
  const desired = resolve(declared, world);
  return preflight(desired, world, diffForCreate(desired, world, { names, recreate: [] }));
}

const host = (more: Partial<Observed['host']>): Observed => {
  const world = observed();
  return { ...world, host: { ...world.host, ...more } };
};

const resultOf = (name: string, ...args: Parameters<typeof checks>) =>
  checks(...args).filter((one) => one.name === name);

describe('the preflight', () => {
  it('says what the engine is, and says nothing of what was not counted', () => {
    expect(checks(lab(['a']), observed()).map(({ name, result, detail }) => [name, result, detail])).toEqual([
      ['engine', 'ok', 'Docker Engine 28.5.2, 2 CPUs, 64.0 GiB'],
      ['memory', 'ok', '64.0 GiB of memory available, 1 new node takes about 0.6 GiB'],
      ['addresses', 'ok', '2046 addresses free in 172.28.0.0/21 of network lab-practical, 1 new node takes one'],
      ['addresses', 'ok', '65534 addresses free in fd00:1ab::/112 of network lab-practical, 1 new node takes one'],
    ]);
  });

  it('fails for an engine and for tools that are missing, with the line to type', () => {
    const { engine: _, ...away } = observed({
      missing: [
        { what: 'no Docker engine answers', hint: 'start Docker', engine: true },
        { what: 'kind is not on the PATH', hint: 'install it: https://kind.sigs.k8s.io' },
      ],
    });
    expect(checks(lab(['a']), away).slice(0, 2)).toEqual([
      { name: 'engine', result: 'failed', detail: 'no Docker engine answers', hint: 'start Docker' },
      {
        name: 'tools',
        result: 'failed',
        detail: 'kind is not on the PATH',
        hint: 'install it: https://kind.sigs.k8s.io',
      },
    ]);
  });

  it('counts inotify instances: 128 are too few for seven nodes', () => {
    const world = (instances: number, instancesUsed: number, watches = 524288) =>
      host({ inotify: { instances, instancesUsed, watches } });
    expect(resultOf('inotify', lab(SEVEN), world(128, 10))).toEqual([
      {
        name: 'inotify',
        result: 'failed',
        detail: '10 of 128 inotify instances in use, 7 new nodes take about 210',
        hint: 'sudo sysctl fs.inotify.max_user_instances=1024 fs.inotify.max_user_watches=1048576',
      },
    ]);
    expect(resultOf('inotify', lab(SEVEN), world(1024, 10))).toMatchObject([{ result: 'ok' }]);
    expect(resultOf('inotify', lab(SEVEN), world(1024, 900))).toMatchObject([
      { result: 'failed', hint: expect.stringContaining('max_user_instances=4096') },
    ]);
    expect(resultOf('inotify', lab(SEVEN), world(1024, 10, 500))).toMatchObject([{ result: 'failed' }]);
    const made = worldAfter(resolve(lab(SEVEN), observed()));
    const full = { ...made, host: { ...made.host, inotify: { instances: 128, instancesUsed: 120, watches: 9999 } } };
    expect(resultOf('inotify', lab(SEVEN), full)).toMatchObject([{ result: 'ok' }]);
    const beyond = { ...full, host: { ...full.host, inotify: { instances: 128, instancesUsed: 200, watches: 9999 } } };
    expect(resultOf('inotify', lab(SEVEN), beyond)).toMatchObject([{ result: 'ok' }]);
  });

  it('counts running nodes where nobody but root could count instances', () => {
    const made = worldAfter(resolve(lab(['a', 'b']), observed()));
    const world = { ...made, host: { ...made.host, inotify: { instances: 128, watches: 524288 } } };
    expect(resultOf('inotify', lab(['a', 'b', 'c']), world)).toMatchObject([
      { result: 'ok', detail: 'about 60 of 128 inotify instances in use, 1 new node takes about 30' },
    ]);
    expect(resultOf('inotify', lab(['a', 'b', 'c', 'd', 'e']), world)).toMatchObject([{ result: 'failed' }]);
  });

  it('counts memory and disk', () => {
    expect(resultOf('memory', lab(SEVEN), host({ memoryAvailable: 4 * GiB }))).toEqual([
      {
        name: 'memory',
        result: 'failed',
        detail: '4.0 GiB of memory available, 7 new nodes take about 4.2 GiB',
        hint: 'create fewer clusters at a time by naming them, or give the engine more memory',
      },
    ]);
    expect(resultOf('memory', lab(SEVEN), host({ memoryAvailable: 5 * GiB }))).toMatchObject([{ result: 'ok' }]);
    expect(resultOf('disk', lab(SEVEN), host({ diskAvailable: 9 * GiB }))).toEqual([
      {
        name: 'disk',
        result: 'failed',
        detail: '9.0 GiB of disk free where Docker keeps its data, 7 new nodes take about 9.1 GiB',
        hint: 'docker system df   # what takes the room',
      },
    ]);
    expect(resultOf('disk', lab(SEVEN), host({ diskAvailable: 10 * GiB }))).toMatchObject([{ result: 'ok' }]);
  });

  it('counts the addresses that Docker can still hand out, of each family', () => {
    const attached = Array.from({ length: 10 }, (_, n) => ({ name: `c${n}`, addresses: [`192.168.9.${n + 2}`] }));
    const small = (ipRange: string) =>
      observed({
        networks: [
          dockerNetwork('lab-practical', [{ cidr: '192.168.9.0/24', ipRange }], { labels: OUR_LABELS, attached }),
        ],
      });
    const nodes = lab([cluster('a', { nodes: { servers: 1, workers: 4 } })]);
    expect(resultOf('addresses', nodes, small('192.168.9.0/28'))).toEqual([
      {
        name: 'addresses',
        result: 'failed',
        detail: '4 addresses free in 192.168.9.0/28 of network lab-practical, 5 new nodes take one each',
        hint: 'use a larger network: spec.network.subnets in lab.yaml',
      },
    ]);
    expect(resultOf('addresses', nodes, small('192.168.9.0/27'))).toMatchObject([{ result: 'ok' }]);
    // Only those in the range are taken from it.
    const free = (ipRange: string) => resultOf('addresses', nodes, small(ipRange))[0]?.detail.split(' ')[0];
    expect(free('192.168.9.64/28')).toBe('16');
    expect(free('192.168.9.240/28')).toBe('15');
    expect(free('192.168.9.0/25')).toBe('116');
  });

  it('counts an address more for what stands beside the nodes: before several servers, and while k3d makes a cluster', () => {
    const world = observed({
      networks: [
        dockerNetwork(
          'lab-practical',
          [{ cidr: '192.168.9.0/24', gateway: '192.168.9.1', ipRange: '192.168.9.8/29' }],
          { labels: OUR_LABELS },
        ),
      ],
    });
    const servers = (workers: number) => lab([cluster('a', { nodes: { servers: 3, workers } })]);
    expect(resultOf('addresses', servers(4), world)).toMatchObject([{ result: 'ok' }]);
    expect(resultOf('addresses', servers(5), world)).toMatchObject([
      {
        result: 'failed',
        detail:
          '8 addresses free in 192.168.9.8/29 of network lab-practical, 8 new nodes and 1 beside them take one each',
      },
    ]);
    const k3d = (workers: number) => lab([cluster('a', { provider: 'k3d', nodes: { workers } })]);
    expect(resultOf('addresses', k3d(6), world)).toMatchObject([{ result: 'ok' }]);
    expect(resultOf('addresses', k3d(7), world)).toMatchObject([{ result: 'failed' }]);
  });

  it('fails for local images that the engine does not hold, of the clusters to make only', () => {
    const declared = lab(['a', cluster('b', { images: ['my/app:dev', 'here:1'] })]);
    const world = observed({ images: { 'here:1': 'sha256:1' } });
    expect(resultOf('images', declared, world)).toEqual([
      {
        name: 'images',
        result: 'failed',
        detail: 'image my/app:dev is not on the engine',
        hint: 'docker pull my/app:dev   # or build it',
      },
    ]);
    expect(resultOf('images', declared, world, ['a'])).toEqual([]);
    const { engine: _, ...away } = world;
    expect(resultOf('images', declared, away)).toEqual([]);
  });

  it('fails for a host port that is in use, of the clusters to make only', () => {
    const port = { host: 8080, node: 80, protocol: 'tcp', at: 'b.yaml:7:3' } as const;
    const declared = lab(['a', cluster('b', { ports: [port] })]);
    const world = host({ portsInUse: ['8080/tcp'] });
    expect(resultOf('ports', declared, world)).toEqual([
      {
        name: 'ports',
        result: 'failed',
        detail: 'host port 8080/tcp (b.yaml:7:3) is in use',
        hint: "ss -tlnp 'sport = :8080'   # who holds it",
      },
    ]);
    expect(resultOf('ports', declared, world, ['a'])).toEqual([]);
    expect(resultOf('ports', declared, host({ portsInUse: ['8080/udp', '127.0.0.1:8080/tcp'] }))).toEqual([]);
  });

  it("fails for a port of the provider's own block", () => {
    const mapping = { containerPort: 53, hostPort: 5353, protocol: 'UDP', listenAddress: '::1' };
    const declared = lab([cluster('b', { providerConfig: { nodes: [{ extraPortMappings: [mapping] }] } })]);
    expect(resultOf('ports', declared, host({ portsInUse: ['[::1]:5353/udp'] }))).toEqual([
      {
        name: 'ports',
        result: 'failed',
        detail: 'host port [::1]:5353/udp (b.yaml:3, spec.kind.nodes.0.extraPortMappings.0) is in use',
        hint: "ss -ulnp 'sport = :5353'   # who holds it",
      },
    ]);
  });

  it('fails where the kernel has no IPv6 and a cluster to make wants it', () => {
    const declared = lab(['four', cluster('six', { ipFamily: 'ipv6' }), cluster('two', { ipFamily: 'dual' })]);
    expect(resultOf('ipv6', declared, host({ ipv6: false }))).toEqual([
      {
        name: 'ipv6',
        result: 'failed',
        detail: 'IPv6 is switched off in this kernel, and six, two need it',
        hint: 'sudo sysctl net.ipv6.conf.all.disable_ipv6=0',
      },
    ]);
    expect(resultOf('ipv6', declared, host({ ipv6: false }), ['four'])).toEqual([]);
    expect(resultOf('ipv6', declared, host({ ipv6: true }))).toEqual([]);
  });
});
