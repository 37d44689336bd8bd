import { expect, test } from 'vitest';
import { nearest } from '../../src/spec/suggest.ts';

test.each([
  ['gruop', ['zone', 'group'], 'group'],
  ['smliey', ['smiley-dr', 'smiley'], 'smiley'],
  ['IPFAMILY', ['ipFamily'], 'ipFamily'],
  ['kid', ['k3d', 'kind'], 'k3d'],
  ['x', ['y'], undefined],
  ['ab', ['xy'], undefined],
  ['docker', ['kind', 'k3d'], undefined],
  ['', ['a'], undefined],
])('%s among %j', (word, candidates, expected) => {
  expect(nearest(word, candidates)).toBe(expected);
});
