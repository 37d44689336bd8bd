import { describe, expect, it } from 'vitest';
import { PROVIDERS } from '../../src/providers/index.ts';
import { k3d } from '../../src/providers/k3d.ts';
import { cluster } from '../plan/build-lab.ts';
import { container } from './container.ts';

const labels = (role: string) => ({ app: 'k3d', 'k3d.cluster': 'cdn', 'k3d.role': role });

describe('k3d', () => {
  it('names its nodes and its context', () => {
    expect(k3d.nodes(cluster('cdn', { nodes: { servers: 2, workers: 1 } }))).toEqual([
      { name: 'k3d-cdn-server-0', role: 'server' },
      { name: 'k3d-cdn-server-1', role: 'server' },
      { name: 'k3d-cdn-agent-0', role: 'worker' },
    ]);
    expect(k3d.contextName('cdn')).toBe('k3d-cdn');
    expect(k3d.kubeconfigQuery('cdn')).toEqual({ argv: ['k3d', 'kubeconfig', 'get', 'cdn'] });
  });

  it('finds the image of a version', () => {
    expect(k3d.image(cluster('a', { kubernetes: { version: '1.34.4' } }))).toBe('rancher/k3s:v1.34.4-k3s1');
    expect(k3d.image(cluster('a', { kubernetes: { image: 'x:1', version: '1.34.4' } }))).toBe('x:1');
    expect(k3d.image(cluster('a'))).toBeUndefined();
  });

  it.each([
    ['server', { cluster: 'cdn', role: 'server' }],
    ['agent', { cluster: 'cdn', role: 'worker' }],
    ['loadbalancer', { cluster: 'cdn', role: 'proxy' }],
    ['registry', undefined],
  ])('knows its containers by their labels: %s', (role, expected) => {
    expect(k3d.recognise(container({ labels: labels(role) }))).toEqual(expected);
    const { app: _, ...bare } = labels(role);
    expect(k3d.recognise(container({ labels: bare }))).toBeUndefined();
  });

  it.each([
    [['server'], ['10.42.0.0/16'], ['10.43.0.0/16']],
    [['server', '--cluster-cidr=10.1.0.0/16', '--service-cidr', '10.2.0.0/16'], ['10.1.0.0/16'], ['10.2.0.0/16']],
    [
      [
        'server',
        '--cluster-cidr',
        '10.1.0.0/16,fd00:1::/56',
        '--service-cidr=10.2.0.0/16,fd00:2::/112',
        '--tls-san',
        'x',
      ],
      ['10.1.0.0/16', 'fd00:1::/56'],
      ['10.2.0.0/16', 'fd00:2::/112'],
    ],
  ])("reads the ranges from k3s' arguments: %j", (args, pods, services) => {
    expect(k3d.readRanges({ container: container({ args }) })).toEqual({ pods, services });
  });

  it('refuses what it cannot do', () => {
    expect(k3d.check(cluster('a', { ipFamily: 'ipv6' }))).toEqual([
      {
        path: 'spec.ipFamily',
        message: 'k3d cannot make an IPv6-only cluster',
        hint: 'use ipFamily dual, or provider kind',
      },
    ]);
    expect(k3d.check(cluster('a', { ipFamily: 'dual' }))).toEqual([]);
  });
});

describe('every provider', () => {
  it.each(Object.entries(PROVIDERS))(
    '%s is listed under its own name, and knows no container of another',
    (name, one) => {
      expect(one.name).toBe(name);
      const nodes = [
        container({ labels: labels('server') }),
        container({ labels: { 'io.x-k8s.kind.cluster': 'a', 'io.x-k8s.kind.role': 'worker' } }),
        container(),
      ];
      expect(nodes.filter((node) => one.recognise(node))).toHaveLength(1);
    },
  );
});
