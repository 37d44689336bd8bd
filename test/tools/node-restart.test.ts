import { expect, it } from 'vitest';
import { notHeardOf } from '../../src/tools/node-restart.ts';

const leases = (renewTime: string) => ({ items: [{ metadata: { name: 'n' }, spec: { renewTime } }] });
const pods = (...startedAt: readonly string[]) => ({
  items: [
    {
      metadata: { name: 'p' },
      spec: { nodeName: 'n' },
      status: { containerStatuses: startedAt.map((time) => ({ name: 'c', state: { running: { startedAt: time } } })) },
    },
  ],
});
const RESTART = '2026-01-02T03:04:05.678901234Z';
const [BEFORE, AFTER] = ['2026-01-02T03:04:04Z', '2026-01-02T03:04:09Z'];

it.each([
  ['its kubelet has not spoken up', leases('2026-01-02T03:04:04.900000Z'), pods(AFTER), ['n']],
  ['a container seems to run since before', leases(AFTER), pods(AFTER, BEFORE), ['n']],
  ['all of it is new', leases('2026-01-02T03:04:14.900000Z'), pods(AFTER, AFTER), []],
  [
    'its containers do not run yet',
    leases(AFTER),
    { items: [{ metadata: { name: 'p' }, spec: { nodeName: 'n' } }] },
    [],
  ],
  ['it is of the very second of the restart', leases('2026-01-02T03:04:05Z'), pods('2026-01-02T03:04:05Z'), []],
])('knows what is from before the restart of a node: %s', (_, leaseList, podList, silent) => {
  expect(notHeardOf({ n: RESTART }, leaseList, podList)).toEqual(silent);
});

it('asks for no news of a node that did not restart', () => {
  expect(notHeardOf({}, leases(BEFORE), pods(BEFORE))).toEqual([]);
});
