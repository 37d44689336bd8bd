// The folders of src/ in the order of docs/architecture.md: each imports only from those above it.
const RANKS = [
  'net',
  'lab',
  'step',
  'tools',
  'providers',
  'addons',
  'mesh',
  'apps',
  'spec',
  'observe',
  'plan',
  'exec',
  'report',
  'cli',
];

const PURE = ['net', 'lab', 'step', 'tools', 'cni', 'providers', 'addons', 'mesh', 'apps', 'plan', 'report'];

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    ...RANKS.map((folder, rank) => ({
      name: `${folder}-imports-only-upwards`,
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: `^src/(${[...RANKS.slice(rank + 1), 'cli\\.ts'].join('|')})` },
    })),
    {
      name: 'pure-folders-do-no-io',
      comment: 'What decides reads no clock, disk, network or environment: same input, same plan.',
      severity: 'error',
      from: { path: `^src/(${PURE.join('|')})/` },
      to: {
        path: '^(node:)?(fs|child_process|net|os|http|https|process|timers|crypto)(/|$)',
        dependencyTypes: ['core'],
      },
    },
    {
      name: 'one-way-to-start-a-process',
      comment: 'process-identity asks ps on macOS, before any runner exists.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/exec/(run-command|process-identity)\\.ts$' },
      to: { path: '^(node:)?child_process$|node_modules/execa' },
    },
    { name: 'errors-is-a-leaf', severity: 'error', from: { path: '^src/errors\\.ts$' }, to: { path: '^src/' } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, path: '^src/', pathNot: '^src/(cli/(assert|main|string-width)|errors)\\.ts$' },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};
