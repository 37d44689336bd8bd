import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Family } from '../../src/net/address.ts';
import { routeShares } from '../../src/tools/node-shares.ts';

/** What a shell with a stand-in for `ip` is told to do. */
function told(families: readonly Family[], input: string): string[] {
  const script = `ip() { echo "ip $*"; }\n${routeShares(families, [])}`;
  return execFileSync('sh', ['-e', '-c', script], { input, encoding: 'utf8' }).trim().split('\n');
}

const DUAL = '10.4.0.0/24 fd00:10:4::/64|172.28.0.2 fd00:1ab::2\n10.4.1.0/24 fd00:10:4:1::/64|172.28.0.3 fd00:1ab::3';

describe('routes to the nodes of a cluster that was just made', () => {
  it('lead to each by its address of the same family', () => {
    expect(told([4, 6], DUAL)).toEqual([
      'ip route replace 10.4.0.0/24 via 172.28.0.2 metric 76',
      'ip route replace fd00:10:4::/64 via fd00:1ab::2 metric 76',
      'ip route replace 10.4.1.0/24 via 172.28.0.3 metric 76',
      'ip route replace fd00:10:4:1::/64 via fd00:1ab::3 metric 76',
    ]);
  });

  it.each([
    [4, 'ip route replace 10.4.0.0/24 via 172.28.0.2 metric 76'],
    [6, 'ip route replace fd00:10:4::/64 via fd00:1ab::2 metric 76'],
  ] as const)('keep to the family that both clusters have: %s', (family, first) => {
    expect(told([family], DUAL)[0]).toBe(first);
    expect(told([family], DUAL)).toHaveLength(2);
  });

  it.each(['', '|172.28.0.2', '10.4.0.0/24|'])('are not taken to be made where nothing is known: %j', (input) => {
    const shell = spawnSync('sh', ['-e', '-c', routeShares([4, 6], [])], { input, encoding: 'utf8' });
    expect(shell.status).toBe(1);
    expect(shell.stderr).toContain('no node of it has a pod range and an address');
  });
});
