import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../src/spec/yaml.ts';
import { problemsIn } from './spec-folder.ts';

const parse = (text: string) => {
  const { documents, problems } = parseYaml(text, { shown: 'x.yaml', path: '/x.yaml' });
  return {
    values: documents.map(({ value }) => value),
    problems: problems.map(({ at, message, hint }) => `${at}: ${message}${hint ? ` (${hint})` : ''}`),
  };
};

describe('values', () => {
  test.each([
    ['a: 1.30', { a: '1.30' }],
    ['a: 1e3', { a: '1e3' }],
    ['a: .inf', { a: '.inf' }],
    ['a: 0x10', { a: 16 }],
    ['a: yes', { a: 'yes' }],
    ['a: 01/1', { a: '01/1' }],
    ['a: -0', { a: 0 }],
    ['a: ~\nb:', { a: null, b: null }],
    ['{a, b: }', { a: null, b: null }],
    ['a: &x [1]\nb: *x', { a: [1], b: [1] }],
    ['a: &x 1\nb: &y [*x]\nc: &x 2\nd: *y', { a: 1, b: [1], c: 2, d: [1] }],
    ['a: !!str 5', { a: '5' }],
    ['\u{FEFF}a: 1\r\nb: 2\r\n', { a: 1, b: 2 }],
    ['constructor: {toString: 1}', { constructor: { toString: 1 } }],
  ])('%s', (text, value) => {
    expect(parse(text)).toEqual({ values: [value], problems: [] });
  });
});

describe('problems', () => {
  test.each([
    ['a: 1\na: 2', 'x.yaml:2:1: key "a" is given twice (first on line 1)'],
    ['1: a', 'x.yaml:1:1: key 1 is not text (put it in quotes)'],
    ['true: a', 'x.yaml:1:1: key true is not text (put it in quotes)'],
    ['? [a]\n: b', 'x.yaml:1:3: a key must be plain text'],
    [': a', 'x.yaml:1:1: key null is not text (put it in quotes)'],
    ['__proto__: {a: 1}', 'x.yaml:1:1: key "__proto__" is not allowed'],
    [
      'a: &a {b: 1}\nc:\n  <<: *a',
      'x.yaml:3:3: merge keys (<<) are not supported (write the keys out, or use `defaults` in lab.yaml)',
    ],
    [
      '%YAML 1.1\n---\n<<: {a: 1}',
      'x.yaml:3:1: merge keys (<<) are not supported (write the keys out, or use `defaults` in lab.yaml)',
    ],
    ['%YAML 1.1\n---\na: 2026-01-01', 'x.yaml:3:4: not a text, a number, or true or false'],
    ['a: *b', 'x.yaml:1:4: alias *b has no anchor before it'],
    ['a: &a [*a]', 'x.yaml:1:8: alias *a holds itself'],
    ['a: &a {b: &b [*a]}', 'x.yaml:1:15: alias *a holds itself'],
    ['a: !foo 1', 'x.yaml:1:4: Unresolved tag: !foo'],
    ['a: !!set {b}', 'x.yaml:1:10: tag tag:yaml.org,2002:set is not supported'],
    ['a: [', 'x.yaml:1:5: Flow sequence in block collection must be sufficiently indented and end with a ]'],
    ['a:\n\t- b', 'x.yaml:2:1: Tabs are not allowed as indentation'],
    [`a: "\u0007`, 'x.yaml:1:6: Missing closing "quote'],
  ])('%s', (text, problem) => {
    expect(parse(text).problems).toEqual([problem]);
  });

  test('a bomb of aliases', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let n = 1; n < 10; n++)
      lines.push(
        `a${n}: &a${n} [${Array(9)
          .fill(`*a${n - 1}`)
          .join(', ')}]`,
      );
    expect(parse(lines.join('\n')).problems).toEqual([
      expect.stringContaining('aliases are expanded to at most 1000 values'),
    ]);
  });

  test.each([
    ['['.repeat(20_000), 'x.yaml:1:65'],
    ['- '.repeat(100_000), 'x.yaml:1:129'],
    ['? '.repeat(100_000), 'x.yaml:1:129'],
    ['{a: '.repeat(20_000), 'x.yaml:1:257'],
    [Array.from({ length: 100 }, (_, n) => `${' '.repeat(n)}a:`).join('\n'), 'x.yaml:65:66'],
  ])('nested too deep: %#', (text, at) => {
    const start = performance.now();
    const { problems } = parse(text);
    expect(performance.now() - start).toBeLessThan(1000);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/nested more than 64 levels deep/);
    expect(problems[0]?.split(': ')[0]).toBe(at);
  });

  test('64 levels are fine, 65 are not', () => {
    expect(parse(`${'['.repeat(65)}1${']'.repeat(65)}`).problems).toHaveLength(1);
    expect(parse(`${'['.repeat(64)}${']'.repeat(64)}`).problems).toEqual([]);
  });

  test.each([
    ['keys', Array.from({ length: 30_000 }, (_, n) => `k${n}: `).join('\n')],
    ['brackets', ']'.repeat(150_000)],
    ['anchors', '&a '.repeat(80_000)],
    ['aliases', `a: &a 1\nb: [${'*a,'.repeat(80_000)}]`],
    ['documents', '---\n'.repeat(60_000)],
    ['lines', `a: "${'x\n\n'.repeat(80_000)}"`],
  ])(
    'a file full of %s takes little time',
    (_, text) => {
      const start = performance.now();
      parse(text);
      expect(performance.now() - start).toBeLessThan(10_000);
    },
    30_000,
  );

  test('the terminal sees no control characters, and no endless line', () => {
    const { problems } = parse(`a: !x${'\u001b'}${'y'.repeat(10_000)} 1\n"\\e[2J": {`);
    expect(problems.every((problem) => !/\p{Cc}/u.test(problem) && problem.length < 300)).toBe(true);
  });
});

test('many problems of one file are not all shown', async () => {
  const problems = await problemsIn({ 'a.yaml': `kind: Cluster\n${'a:\n'.repeat(201)}` });
  expect(problems.filter((problem) => problem.includes('is given twice')).length).toBeLessThanOrEqual(100);
  expect(problems.at(-1)).toMatch(/and \d+ more problems from here on/);
});
