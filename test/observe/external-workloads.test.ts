import { expect, it } from 'vitest';
import { WORKLOAD_LABELS } from '../../src/lab/workload.ts';
import { findWorkloads, readWorkloadRoutes } from '../../src/observe/external-workloads.ts';
import type { Runner } from '../../src/step/runner.ts';
import type { Container } from '../../src/tools/docker.ts';

const container = (name: string, labels: Partial<Record<keyof typeof WORKLOAD_LABELS, string>>, running = true) => {
  const given = { uid: 'u', name: 'smiley', cluster: 'a', ...labels };
  const full = Object.entries(given).map(([key, value]) => [
    WORKLOAD_LABELS[key as keyof typeof WORKLOAD_LABELS],
    value,
  ]);
  const rest = { id: name, image: 'x', args: [], mountTargets: [], networks: {}, hostPorts: [] };
  return { ...rest, name, running, labels: Object.fromEntries(full) } satisfies Container;
};
const OWN = container('smiley', { digest: 'd', network: 'n', addresses: '172.28.0.9,fd00::9' });
const SERVER = container('smiley-spire-server', {});
const AGENT = container('smiley-spire-agent', {});
const PROXY = container('smiley-proxy', { proxy: 'inputs' });
const FOUND = {
  ...{ name: 'smiley', cluster: 'a', owner: 'u', running: true, digest: 'd', network: 'n' },
  addresses: ['172.28.0.9', 'fd00::9'],
};

it.each([
  ['alone', [OWN], { ...FOUND, sidecars: [] }],
  [
    'with its proxy',
    [SERVER, OWN, AGENT, PROXY],
    { ...FOUND, sidecars: ['smiley-proxy', 'smiley-spire-agent', 'smiley-spire-server'], proxy: 'inputs' },
  ],
  [
    'whose proxy has lost its agent',
    [OWN, PROXY, SERVER, { ...AGENT, running: false }],
    { ...FOUND, sidecars: ['smiley-proxy', 'smiley-spire-agent', 'smiley-spire-server'] },
  ],
  [
    'of which only the rest is there',
    [SERVER],
    { ...FOUND, running: false, digest: '', network: '', addresses: [], sidecars: ['smiley-spire-server'] },
  ],
  ['that only calls itself one', [container('other', { name: 'smiley' })], undefined],
])('finds a workload %s', (_, containers, found) => {
  expect(findWorkloads(containers)).toEqual(found ? [found] : []);
});

it.each([
  ['has its identity', '172.29.0.0/16 dev eth0\nthe proxy has its identity\n', 'inputs'],
  ['has none yet', '172.29.0.0/16 dev eth0\n', undefined],
])('counts a proxy that %s', async (_, stdout, proxy) => {
  const asked: string[] = [];
  const run: Runner['run'] = async ({ argv }) => {
    asked.push(argv.at(-1) ?? '');
    return { exitCode: 0, stdout, stderr: '' };
  };
  const found = findWorkloads([OWN, SERVER, AGENT, PROXY]);
  const [workload] = await readWorkloadRoutes({ run }, found, () => 'node:1');
  expect([workload?.proxy, workload?.routes]).toEqual([proxy, []]);
  expect(asked).toEqual([expect.stringContaining('http://127.0.0.1:4191/ready')]);
  await readWorkloadRoutes({ run }, findWorkloads([OWN]), () => 'node:1');
  expect(asked[1]).toBe('ip -4 route show; ip -6 route show');
});
