import { describe, expect, it } from 'vitest';
import { parseContainers, parseImages, parseInfo, parseNetworks } from '../../src/tools/docker.ts';
import { toolOutput } from './fixture.ts';

describe('docker info', () => {
  it('says what the engine is, and whether it runs on this kernel', () => {
    const engine = {
      id: '6e4167d2-f3b3-4cc8-9de6-a9b5b030fedc',
      version: '28.5.2+dfsg4',
      cpus: 2,
      memory: 25276502016,
      rootDir: '/var/lib/docker',
    };
    const output = toolOutput('docker-28.5/info.json');
    expect(parseInfo(output, '6.8.0-31-generic')).toEqual({ ...engine, local: true });
    expect(parseInfo(output, '6.8.0-31-other')).toEqual({ ...engine, local: false });
  });

  it('says nothing of an engine that is away, or what older clients say of it', () => {
    expect(parseInfo(toolOutput('docker-28.5/info-away.json'), 'x')).toEqual({ errors: [] });
    expect(parseInfo('{"ServerErrors":["Cannot connect"]}', 'x')).toEqual({ errors: ['Cannot connect'] });
  });
});

describe('docker network inspect', () => {
  it("reads Docker's own networks", () => {
    const [bridge, host, none, ...rest] = parseNetworks(toolOutput('docker-28.5/networks.json'));
    expect(rest).toEqual([]);
    expect(bridge).toMatchObject({
      id: 'f804eb638f6d253c11eee92599541bb61b2ffa8e5fdceea97d54db367826bea0',
      name: 'bridge',
      driver: 'bridge',
      ipv6: false,
      labels: {},
      subnets: [{ cidr: '172.17.0.0/16', gateway: '172.17.0.1' }],
      attached: [],
      mtu: '1500',
    });
    // Their Config is null.
    expect([host, none]).toMatchObject([
      { name: 'host', driver: 'host', subnets: [] },
      { name: 'none', driver: 'null', subnets: [] },
    ]);
  });

  it.each([
    ['docker-27', { gateway: 'fc00:f853:ccd:e793::1' }],
    ['docker-28', {}],
    ['docker-29', { gateway: 'fc00:f853:ccd:e793::1' }],
  ])("reads kind's network as %s shows it, IPv6 first", (version, gateway6) => {
    expect(parseNetworks(toolOutput(`${version}/network-kind.json`))).toMatchObject([
      {
        name: 'kind',
        ipv6: true,
        attached: [
          { name: 'kind-control-plane', addresses: ['172.18.0.2', 'fc00:f853:ccd:e793::2'] },
          { name: 'helper', addresses: ['172.18.0.3'] },
        ],
      },
    ]);
    expect(parseNetworks(toolOutput(`${version}/network-kind.json`))[0]?.subnets).toEqual([
      { cidr: 'fc00:f853:ccd:e793::/64', ...gateway6 },
      { cidr: '172.18.0.0/16', gateway: '172.18.0.1' },
    ]);
  });

  it('reads labels and an ip-range', () => {
    const config = [{ Subnet: '172.28.0.0/20', IPRange: '172.28.0.0/21', Gateway: '172.28.0.1' }, {}];
    const network = { Id: 'i', Name: 'n', Driver: 'bridge', Labels: { 'lab.uid': 'u' }, IPAM: { Config: config } };
    expect(parseNetworks(JSON.stringify([network]))).toEqual([
      {
        ...{ id: 'i', name: 'n', driver: 'bridge', ipv6: false, labels: { 'lab.uid': 'u' }, attached: [] },
        subnets: [{ cidr: '172.28.0.0/20', gateway: '172.28.0.1', ipRange: '172.28.0.0/21' }],
      },
    ]);
  });
});

describe('docker container inspect', () => {
  it('shows of a stopped node whose it is, what it will publish, and no address', () => {
    const [node, bare] = parseContainers(toolOutput('docker-28/containers-stopped.json'));
    expect(node).toEqual({
      id: '5a00000000000000000000000000000000000000000000000000000000000001',
      name: 'smiley-control-plane',
      running: false,
      image: 'kindest/node:v1.34.4',
      args: ['/sbin/init'],
      labels: { 'io.x-k8s.kind.cluster': 'smiley', 'io.x-k8s.kind.role': 'control-plane' },
      mountTargets: ['/lab/owner/0123456789ab', '/var'],
      networks: { 'lab-practical': [] },
      hostPorts: ['37473/tcp', '8080/tcp', '5353/udp'],
    });
    expect(bare).toMatchObject({ args: [], labels: {}, networks: {}, hostPorts: [], running: false });
  });

  it('shows of a running one the addresses of each network and what it does publish', () => {
    const container = {
      Id: 'i',
      Name: '/x',
      State: { Running: true },
      HostConfig: { PortBindings: { '6443/tcp': [{ HostPort: '' }] } },
      NetworkSettings: {
        Networks: { a: { IPAddress: '172.28.0.2', GlobalIPv6Address: 'fd00::2' }, b: { IPAddress: '10.0.0.2' } },
        Ports: { '6443/tcp': [{ HostPort: '37473' }], '80/tcp': null },
      },
    };
    expect(parseContainers(JSON.stringify([container]))).toMatchObject([
      { running: true, networks: { a: ['172.28.0.2', 'fd00::2'], b: ['10.0.0.2'] }, hostPorts: ['37473/tcp'] },
    ]);
  });
});

describe('docker image inspect', () => {
  it('gives the ID of every name, also when it did not find all that it was asked for', () => {
    expect(parseImages(toolOutput('docker-28.5/images.json'))).toEqual({
      'registry.k8s.io/pause:3.10.1': 'sha256:825ae7cdfb3466ab8ed306d1963707e5b5e982adbef170bfcfa67e8a610ed395',
    });
    expect(parseImages('')).toEqual({});
    const nameless = [{ Id: 'a', RepoTags: null, RepoDigests: ['x@sha256:1', 'y@sha256:1'] }];
    expect(parseImages(JSON.stringify(nameless))).toEqual({ 'x@sha256:1': 'a', 'y@sha256:1': 'a' });
  });
});
