import { describe, expect, it } from 'vitest';
import { parseRoutes, routeDelete, routeReplace } from '../../src/tools/ip-route.ts';
import { parseRules, ruleDelete, ruleInsert } from '../../src/tools/iptables.ts';

const ROUTE = { destination: '10.50.0.0/24', via: '172.28.0.4' };

describe('routes of a node', () => {
  it("are read from iproute2's listing and from busybox', ours by their metric", () => {
    const iproute2 = [
      'default via 172.28.0.1 dev eth0 ',
      '10.141.0.2 dev veth49b4bfa7 scope host ',
      '10.141.1.0/24 via 172.28.0.3 dev eth0 ',
      '10.50.0.0/24 via 172.28.0.4 dev eth0 metric 76 ',
      '172.28.0.0/20 dev eth0 proto kernel scope link src 172.28.0.2 ',
      'fd00:10:141::1 dev veth0b340f04 proto kernel metric 256 pref medium',
      'fd00:10:141:1::/64 via fd00:1ab::3 dev eth0 metric 1024 pref medium',
      'fd00:50::/64 via fd00:1ab::4 dev eth0 metric 76 pref medium',
      'default via fd00:1ab::1 dev eth0 metric 1024 pref medium',
    ];
    expect(parseRoutes(iproute2.join('\n'))).toEqual([
      { destination: '10.141.1.0/24', via: '172.28.0.3', ours: false },
      { ...ROUTE, ours: true },
      { destination: 'fd00:10:141:1::/64', via: 'fd00:1ab::3', ours: false },
      { destination: 'fd00:50::/64', via: 'fd00:1ab::4', ours: true },
    ]);
    const busybox = [
      'default via 172.28.0.1 dev eth0 ',
      '10.50.0.0/24 via 172.28.0.4 dev eth0  metric 76 ',
      '172.28.0.0/20 dev eth0 scope link  src 172.28.0.2 ',
    ];
    expect(parseRoutes(busybox.join('\n'))).toEqual([{ ...ROUTE, ours: true }]);
  });

  it('are set and taken away with words that both know', () => {
    expect(routeReplace(ROUTE)).toBe('ip route replace 10.50.0.0/24 via 172.28.0.4 metric 76');
    expect(routeDelete(ROUTE)).toBe('ip route del 10.50.0.0/24 via 172.28.0.4 metric 76');
  });
});

const PAIR = ['-s', '10.141.0.0/16', '-d', '10.50.0.0/16', '-j', 'ACCEPT'];
const OURS = '-A POSTROUTING -s 10.141.0.0/16 -d 10.50.0.0/16 -m comment --comment lab -j ACCEPT';
/** As flannel and kube-proxy leave it on a k3s node. */
const POSTROUTING = [
  '-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING',
  '-A POSTROUTING -m comment --comment "flanneld masq" -j FLANNEL-POSTRTG',
];
const FLANNEL = [
  '-A FLANNEL-POSTRTG -m mark --mark 0x4000/0x4000 -m comment --comment "flanneld masq" -j RETURN',
  '-A FLANNEL-POSTRTG -s 10.141.0.0/16 ! -d 224.0.0.0/4 -m comment --comment "flanneld masq" -j MASQUERADE --random-fully',
];
const ruleOf = (...lines: string[]) => parseRules(4, lines.join('\n')).rules.filter(({ ours }) => ours);

describe('the exemption on a node of flannel', () => {
  const rule = { family: 4, chain: 'POSTROUTING', args: PAIR } as const;

  it("holds at the head of POSTROUTING, and before flannel's jump", () => {
    const held = [{ ...rule, ours: true, effective: true }];
    expect(ruleOf(OURS, ...POSTROUTING, ...FLANNEL)).toEqual(held);
    // kube-proxy puts itself at the head again, and only touches what it has marked.
    expect(ruleOf(POSTROUTING[0] as string, OURS, POSTROUTING[1] as string, ...FLANNEL)).toEqual(held);
  });

  it("does not hold behind flannel's jump", () => {
    expect(ruleOf(...POSTROUTING, OURS, ...FLANNEL)).toEqual([{ ...rule, ours: true, effective: false }]);
  });

  it('is put at the head once, and taken away whether it is there or not', () => {
    const text = 'POSTROUTING -s 10.141.0.0/16 -d 10.50.0.0/16 -m comment --comment lab -j ACCEPT';
    const inserted = text.replace('POSTROUTING', 'POSTROUTING 1');
    expect(ruleInsert(rule)).toBe(`iptables -w -t nat -C ${text} 2>/dev/null || iptables -w -t nat -I ${inserted}`);
    expect(ruleDelete({ ...rule, family: 6 })).toBe(`ip6tables -w -t nat -D ${text} 2>/dev/null || true`);
  });
});
