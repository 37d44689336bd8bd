import { describe, expect, it } from 'vitest';
import { checkScript, parseCheck } from '../../src/tools/check-script.ts';

describe('a request of a check', () => {
  it('is asked in the words of the pod', () => {
    const from = { address: '10.0.0.7', dns: '10.128.0.10', namespace: 'shop', domain: 'east.example' };
    const [first] = checkScript(from, "http://web/?a=1&b='$(rm)'").split('\n');
    expect(first).toBe(
      `set -- 10.0.0.7 10.128.0.10 'shop.svc.east.example svc.east.example east.example' 'http://web/?a=1&b='\\''$(rm)'\\'''`,
    );
  });

  it.each([
    ['lab-check 200\nhello\n', { status: 200, body: 'hello\n' }],
    ['lab-check 503\n', { status: 503, body: '' }],
    ['lab-check 204', { status: 204, body: '' }],
    ['lab-check lost\n', { silent: 'its network namespace was not found' }],
    [
      'lab-check silent curl: (6) Could not resolve host: nowhere',
      { silent: 'curl: (6) Could not resolve host: nowhere' },
    ],
    ['', { silent: 'no answer' }],
  ])('%j', (output, expected) => {
    expect(parseCheck(output)).toEqual(expected);
  });
});
