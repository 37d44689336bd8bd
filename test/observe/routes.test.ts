import { describe, expect, it } from 'vitest';
import { parseRoutes4, parseRoutes6 } from '../../src/observe/host.ts';

const HEADING = 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT';
const route4 = (via: string, destination: string, mask: string) =>
  `${via}\t${destination}\t00000000\t0001\t0\t0\t0\t${mask}\t0\t0\t0        `;
const route6 = (destination: string, length: string, via: string) =>
  `${destination} ${length} ${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00000100 00000001 00000000 00000001 ${via.padStart(8)}`;

describe('/proc/net/route', () => {
  it('gives destinations with the interface, and leaves out the default', () => {
    const text = [
      HEADING,
      route4('eth0', '00000000', '00000000'),
      route4('docker0', '000011AC', '0000FFFF'),
      route4('eth0', '000200C0', '00FFFFFF'),
      route4('tun0', '0000000A', '000000FF'),
      route4('tun0', '00000080', '00000080'),
      route4('wg0', '0102A8C0', 'FFFFFFFF'),
      '',
    ].join('\n');
    expect(parseRoutes4(text)).toEqual([
      { cidr: '172.17.0.0/16', via: 'docker0' },
      { cidr: '192.0.2.0/24', via: 'eth0' },
      { cidr: '10.0.0.0/8', via: 'tun0' },
      { cidr: '128.0.0.0/1', via: 'tun0' },
      { cidr: '192.168.2.1/32', via: 'wg0' },
    ]);
  });

  it('is empty where there is none', () => {
    expect(parseRoutes4('')).toEqual([]);
    expect(parseRoutes4(`${HEADING}\n`)).toEqual([]);
  });
});

describe('/proc/net/ipv6_route', () => {
  it('gives destinations with the interface, and leaves out the default, loopback, link-local and multicast', () => {
    const text = [
      route6('fd000000000000000000000000000000', '40', 'eth0'),
      route6('fe800000000000000000000000000000', '40', 'eth0'),
      route6('00000000000000000000000000000000', '00', 'eth0'),
      route6('00000000000000000000000000000001', '80', 'lo'),
      route6('fd000000000000000000000000000002', '80', 'eth0'),
      route6('ff000000000000000000000000000000', '08', 'eth0'),
      route6('fd000010000000000000000000000000', '20', 'wg0'),
      '',
    ].join('\n');
    expect(parseRoutes6(text)).toEqual([
      { cidr: 'fd00::/64', via: 'eth0' },
      { cidr: 'fd00::2/128', via: 'eth0' },
      { cidr: 'fd00:10::/32', via: 'wg0' },
    ]);
    expect(parseRoutes6('')).toEqual([]);
  });
});
