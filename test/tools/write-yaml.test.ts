import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type DataMap, writeYaml } from '../../src/tools/write-yaml.ts';

/** Texts that some version of YAML reads as something else. */
const TRAPS = [
  ...['', '~', 'null', 'Null', 'true', 'False', 'y', 'N', 'yes', 'NO', 'on', 'Off', '.inf', '-.Inf', '.nan', '=', '<<'],
  ...[
    '0',
    '-1',
    '+1',
    '1.5',
    '.5',
    '1e3',
    '1E-3',
    '0x1f',
    '0o17',
    '017',
    '0b1',
    '1_000',
    '12:30',
    '12:30:45',
    '0.',
    '1.',
  ],
  ...[
    '2026-01-02',
    '2026-01-02T03:04:05Z',
    '1.2.3',
    '1/2',
    '1/2/3',
    '1-2',
    'a:',
    'a: b',
    'a #b',
    '#a',
    '- a',
    '-',
    '?',
  ],
  ...[
    '{a}',
    '[a]',
    '&a',
    '*a',
    '!a',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
    '"a"',
    "'a'",
    'it\'s "it"',
    ' a',
    'a ',
    'a\tb',
    'a,b',
  ],
  ...[
    '---',
    '...',
    'a\n',
    '\na',
    'a\n\n',
    'a\n b\n',
    ' a\nb\n',
    'a \nb',
    'a\n\n\nb\n',
    'a\n---\nb',
    'a\n# b\n',
    '\n',
    '\n\n',
  ],
  ...[
    'a\r\nb',
    'a\r',
    'a\n\tb\n',
    'é',
    '\u0085',
    '\u2028',
    '\ufeff',
    '\u007f',
    '\0',
    '😀',
    'a\n😀\n',
    'a\u00a0',
    'a\u2029\nb',
  ],
];
const texts = fc.oneof(
  fc.constantFrom(...TRAPS),
  fc.string({ unit: fc.constantFrom(...'ab01.:/,-_#\'"\n \t\\{}[]&*!|>%@`~=<?é😀') }),
  fc.string({ unit: 'binary' }),
);
const { data } = fc.letrec((tie) => ({
  data: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    texts,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('data'), { maxLength: 4 }),
    // `yaml` gives such a map a prototype.
    fc.dictionary(
      texts.filter((key) => key !== '__proto__'),
      tie('data'),
      { maxKeys: 4 },
    ),
  ),
}));
const maps = fc.dictionary(
  texts.filter((key) => key !== '__proto__'),
  data,
  { maxKeys: 4 },
) as fc.Arbitrary<DataMap>;

describe('YAML that is written', () => {
  it.each(['1.2', '1.1'] as const)('is read as what it was, as version %s', (version) => {
    fc.assert(
      fc.property(maps, (map) => {
        expect(parse(writeYaml(map), { version, uniqueKeys: false, logLevel: 'error' })).toEqual(map);
      }),
      { numRuns: 2000 },
    );
  });

  it('quotes every text that could be anything else', () => {
    for (const text of TRAPS) {
      for (const version of ['1.1', '1.2'] as const)
        expect(parse(writeYaml({ [text]: text }), { version })).toEqual({ [text]: text });
    }
  });

  it('looks as the library writes it', () => {
    const map = {
      kind: 'Cluster',
      apiVersion: 'kind.x-k8s.io/v1alpha4',
      absent: undefined,
      networking: { podSubnet: '10.0.0.0/16,fd00:10::/56', apiServerAddress: '127.0.0.1', port: 6443 },
      pools: ['172.28.8.0/28', '172.28.0.1-172.28.0.9', 'fd00:1ab::1:0/124', 'fd00::1-fd00::f', '2001:db8::/32'],
      nodes: [{ role: 'worker', mounts: [{ readOnly: true }, {}, []], list: [['a', 'b'], [{ c: 'd' }]] }, 'x', null],
      mask: '25',
      timeout: '840s',
      filters: ['server:*', 'agent:0', '--disable=traefik', 'a=b'],
      image: 'kindest/node:v1.34.4@sha256:12ab',
      manifest: 'https://example.org/metallb.yaml',
      patches: ['kind: A\nspec:\n  a: 1\n\n  b: |\n    c\n', '[plugins]\n  x = 1\n\ty = "z"'],
      empty: {},
      none: [],
    };
    expect(writeYaml(map)).toBe(stringify(map, { lineWidth: 0 }));
  });

  it('has an escape for what no reader may see', () => {
    expect(writeYaml({ a: '\u007f\u2028\ufeff' })).toBe('a: "\\u007f\\u2028\\ufeff"\n');
  });
});
