import { describe, expect, it } from 'vitest';
import { apiPorts } from '../../src/lab/api-port.ts';
import { resolveApiPorts } from '../../src/plan/resolve-api-ports.ts';
import { cluster, errorOf, foreign, lab, OTHER_UID, observed, UID } from './build-lab.ts';

const [first = 0, second = 0, third = 0] = apiPorts(UID);
const k3d = (name: string, words = {}) => cluster(name, { provider: 'k3d', ...words });
const portsOf = (...args: Parameters<typeof resolveApiPorts>) => [...resolveApiPorts(...args)];
const publishing = (name: string, owner: string, port: number) => {
  const node = { name: `k3d-${name}-server-0`, role: 'server', running: true, image: '', networks: {} } as const;
  return foreign(name, { provider: 'k3d', owner, nodes: [{ ...node, hostPorts: [`${port}/tcp`] }] });
};

describe('the ports of API servers', () => {
  it('lie below those of outgoing connections, elsewhere for another lab', () => {
    expect(first).toBeGreaterThanOrEqual(20_000);
    expect(Math.max(...apiPorts(UID), ...apiPorts(OTHER_UID))).toBeLessThan(30_000);
    expect(apiPorts(UID).filter((port) => apiPorts(OTHER_UID).includes(port))).toEqual([]);
  });

  it('are chosen for k3d alone, in the order of names', () => {
    expect(portsOf(lab([k3d('a'), cluster('b'), k3d('c')]), observed())).toEqual([
      ['a', first],
      ['c', second],
    ]);
    expect(portsOf(lab([k3d('a', { providerConfig: { kubeAPI: { hostPort: '6550' } } })]), observed())).toEqual([]);
  });

  it('are none that a cluster publishes, a spec asks for, or something holds', () => {
    const ports = [{ host: third, node: 80, protocol: 'tcp' as const, at: 'b.yaml:5' }];
    const world = observed({
      clusters: [publishing('x', OTHER_UID, first)],
      host: { ...observed().host, portsInUse: [`127.0.0.1:${second}/tcp`] },
    });
    expect(portsOf(lab([k3d('a'), cluster('b', { ports })]), world)).toEqual([['a', third + 1]]);
  });

  it('are none that another create has chosen a moment ago', () => {
    const chosen = (uid: string, port: number) => ({ uid, lab: 'x', use: 'API server of x', port });
    const reservations = [chosen(OTHER_UID, first), chosen(UID, second)];
    expect(portsOf(lab([k3d('a')]), observed({ reservations }))).toEqual([['a', second]]);
  });

  it('stay what they are', () => {
    const world = observed({ clusters: [publishing('b', UID, first)] });
    expect(portsOf(lab([k3d('a'), k3d('b')]), world)).toEqual([
      ['a', second],
      ['b', first],
    ]);
  });

  it('run out', () => {
    const portsInUse = apiPorts(UID).map((port) => `${port}/tcp`);
    const world = observed({ host: { ...observed().host, portsInUse } });
    expect(errorOf(() => resolveApiPorts(lab([k3d('a')]), world))).toMatchObject({
      exitCode: 3,
      text: [expect.stringMatching(/^no port is free for the API server of a: \d+ to \d+ are all taken$/)],
    });
  });
});
