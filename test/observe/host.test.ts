import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { HostPort } from '../../src/lab/host-port.ts';
import { observeHost } from '../../src/observe/host.ts';

const engine = { id: 'E', version: '28', cpus: 1, memory: 1, local: true, rootDir: '/' };
const at = 'a.yaml:1:1';
const inUse = async (ports: readonly HostPort[], local = true) =>
  (await observeHost({ engine: { ...engine, local }, ports, count: true })).portsInUse;

const closing: (() => void)[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) close();
});

const listenTcp = (host: string) =>
  new Promise<number>((resolve) => {
    const server = createServer();
    closing.push(() => server.close());
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port));
  });

const listenUdp = (address: string) =>
  new Promise<number>((resolve) => {
    const socket = createSocket('udp4');
    closing.push(() => socket.close());
    socket.bind(0, address, () => resolve(socket.address().port));
  });

describe('ports of the host', () => {
  it('are in use on the address that is listened on, and on all together', async () => {
    const port = await listenTcp('127.0.0.1');
    const base = { port, protocol: 'tcp', at } as const;
    expect(await inUse([base, { ...base, listen: '127.0.0.1' }, { ...base, listen: '127.0.0.2' }])).toEqual([
      `${port}/tcp`,
      `127.0.0.1:${port}/tcp`,
    ]);
  });

  it('are in use by protocol', async () => {
    const port = await listenUdp('127.0.0.1');
    expect(
      await inUse([
        { port, protocol: 'udp', at },
        { port, protocol: 'udp', listen: '127.0.0.2', at },
        { port, protocol: 'tcp', at },
        { port, protocol: 'sctp', at },
      ]),
    ).toEqual([`${port}/udp`]);
  });

  it('are free again after they were looked at, also when they were asked for twice', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, () => resolve((server.address() as AddressInfo).port));
    });
    await new Promise((resolve) => server.close(resolve));
    const one = { port, protocol: 'tcp', at } as const;
    expect(await inUse([one, { ...one, listen: '127.0.0.1' }, one])).toEqual([]);
  });

  it('say nothing about an engine on another machine; one in a VM publishes its own here', async () => {
    const port = await listenTcp('127.0.0.1');
    vi.stubEnv('DOCKER_HOST', 'unix:///Users/me/.docker/run/docker.sock');
    expect(await inUse([{ port, protocol: 'tcp', at }], false)).toEqual([`${port}/tcp`]);
    vi.stubEnv('DOCKER_HOST', 'ssh://me@there');
    expect(await inUse([{ port, protocol: 'tcp', at }], false)).toEqual([]);
  });
});

describe.runIf(process.platform === 'linux')('inotify instances in use', () => {
  const inotifyOf = async () => (await observeHost({ engine, ports: [], count: true })).inotify;

  it('are what root sees', async () => {
    vi.spyOn(process, 'getuid').mockReturnValue(0);
    expect((await inotifyOf())?.instancesUsed).toBeTypeOf('number');
  });

  it('are not known to anybody else', async () => {
    vi.spyOn(process, 'getuid').mockReturnValue(1000);
    expect(await inotifyOf()).not.toHaveProperty('instancesUsed');
  });
});
