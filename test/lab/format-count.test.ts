import { expect, it } from 'vitest';
import { formatCount } from '../../src/lab/format-count.ts';

it.each([
  [0, '0 routes'],
  [1, '1 route'],
  [2, '2 routes'],
])('%s is %s', (count, text) => expect(formatCount(count, 'route')).toBe(text));

it('knows other plurals', () => {
  expect([1, 2].map((count) => formatCount(count, 'address', 'addresses'))).toEqual(['1 address', '2 addresses']);
});
