import { describe, expect, it } from 'vitest';
import { isRolledOut, judge, pathOf } from '../../src/tools/kube-api.ts';

const node = (name: string, ready?: string) => ({
  metadata: { name },
  status: {
    conditions: [{ type: 'MemoryPressure', status: 'False' }, ...(ready ? [{ type: 'Ready', status: ready }] : [])],
  },
});

describe('waiting for nodes', () => {
  const wait = { resource: 'nodes', count: 2 } as const;

  it.each([
    ['all ready', [node('a', 'True'), node('b', 'True')], true, '2 of 2 nodes ready'],
    ['one not there yet', [node('a', 'True')], false, '1 of 2 nodes ready'],
    ['one not ready', [node('a', 'True'), node('b', 'False')], false, '1 of 2 nodes ready, not b'],
    ['one unknown', [node('a', 'True'), node('b', 'Unknown')], false, '1 of 2 nodes ready, not b'],
    ['none has a condition', [node('a'), node('b')], false, '0 of 2 nodes ready, not a, b'],
    ['a third one not ready', [node('a', 'True'), node('b', 'True'), node('c')], false, '2 of 2 nodes ready, not c'],
    ['none', [], false, '0 of 2 nodes ready'],
  ])('is over only when all are ready: %s', (_, items, done, seen) => {
    expect(judge(wait, { items })).toEqual({ done, seen });
  });

  it('is not over when the answer is nothing', () => {
    expect(judge(wait, undefined).done).toBe(false);
    expect(pathOf(wait)).toBe('/api/v1/nodes');
  });
});

describe('waiting for a workload', () => {
  it('says what is missing', () => {
    const wait = { resource: 'daemonset', namespace: 'n', name: 's' } as const;
    expect(pathOf(wait)).toBe('/apis/apps/v1/namespaces/n/daemonsets/s');
    expect(judge(wait, undefined)).toEqual({ done: false, seen: 'daemonset s does not exist' });
    expect(judge(wait, { metadata: { name: 's' } })).toEqual({ done: false, seen: 'daemonset s is not ready' });
  });

  const deployment = (
    generation: number,
    observed: number,
    replicas: number | undefined,
    available?: number,
    updated = available,
  ) => ({
    metadata: { name: 'd', generation },
    spec: replicas === undefined ? {} : { replicas },
    status: {
      observedGeneration: observed,
      ...(available !== undefined && { availableReplicas: available }),
      ...(updated !== undefined && { updatedReplicas: updated }),
    },
  });
  const daemons = (desired: number, available?: number, updated = available) => ({
    metadata: { name: 'd', generation: 1 },
    spec: {},
    status: {
      observedGeneration: 1,
      desiredNumberScheduled: desired,
      ...(available !== undefined && { numberAvailable: available }),
      ...(updated !== undefined && { updatedNumberScheduled: updated }),
    },
  });

  it.each([
    ['runs', deployment(1, 1, 2, 2), true],
    [
      'keeps an old pod until the new one runs',
      {
        ...deployment(1, 1, 1, 1),
        status: { observedGeneration: 1, replicas: 2, updatedReplicas: 1, availableReplicas: 1 },
      },
      false,
    ],
    ['lacks one', deployment(1, 1, 2, 1), false],
    ['has not begun', deployment(1, 1, 1), false],
    ['still runs pods of before', deployment(1, 1, 2, 2, 1), false],
    ['has begun with none of its new pods', { ...deployment(1, 1, 1), status: { availableReplicas: 1 } }, false],
    ['still runs pods of before on a node', daemons(3, 3, 2), false],
    ['runs an older generation', deployment(2, 1, 1, 1), false],
    ['has one replica by default', deployment(1, 1, undefined, 1), true],
    ['is scaled to nothing', deployment(1, 1, 0, 0), false],
    ['runs on every node', daemons(3, 3), true],
    ['lacks a node', daemons(3, 2), false],
    ['has not begun on any node', daemons(3), false],
    ['does not know its nodes yet', daemons(0, 0), false],
    ['is nothing', undefined, false],
  ])('is over when its newest generation runs everywhere: it %s', (_, object, expected) => {
    expect(isRolledOut(object)).toBe(expected);
  });
});
