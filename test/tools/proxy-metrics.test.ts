import { describe, expect, it } from 'vitest';
import { parseProxyRequests } from '../../src/tools/proxy-metrics.ts';
import { toolOutput } from './fixture.ts';

describe('the metrics of a proxy', () => {
  it('tell who was asked by what certificate, and what came without one', () => {
    expect(parseProxyRequests(toolOutput('linkerd-edge-26.8.3/metrics-client.txt'))).toEqual([
      {
        direction: 'outbound',
        authority: 'flat-west.lab-verify-mesh.svc.cluster.local',
        tls: true,
        server: 'west.lab-verify-mesh.serviceaccount.identity.linkerd.cluster.local',
      },
      { direction: 'inbound', tls: false, noTls: 'no_tls_from_remote' },
    ]);
  });

  it('are nothing where there are none', () => expect(parseProxyRequests('')).toEqual([]));
});
