import { describe, expect, it } from 'vitest';
import { formatPlan } from '../../src/report/plan-text.ts';
import { renderStep } from '../../src/report/render-step.ts';
import { formatTable } from '../../src/report/table.ts';
import type { Step } from '../../src/step/step.ts';
import { planWith, runStep } from '../exec/steps.ts';

const base = { title: 'wait for it', clusters: ['b'], needs: [], timeout: 30 };
const FILE = { file: 'kubeconfigs/b.yaml' } as const;
const STEPS: readonly Step[] = [
  runStep('network', { clusters: [], title: 'make the network', argv: ['docker', 'network', 'create', 'my net'] }),
  runStep('a/create', {
    ...{ title: 'create the nodes', argv: ['kind', '--kubeconfig', { file: 'kubeconfigs/a.yaml' }] },
    ...{ stdin: 'kind: Cluster\nnodes: []\n', env: { NETWORK: 'x y' } },
  }),
  { ...base, kind: 'wait', id: 'b/nodes', kubeconfig: FILE, for: { resource: 'nodes', count: 1 } },
  { ...base, title: 'read', kind: 'query', id: 'b/q', argv: ['kind', 'get'], capture: 'b/secret' },
  { ...base, title: 'keep', kind: 'write', id: 'b/w', file: FILE, content: { ref: 'b/secret' }, mode: 0o600 },
  runStep('a/record', { title: 'note', argv: ['echo', 'x'.repeat(500)] }),
];

describe('a plan as text', () => {
  it('is grouped by cluster, with the commands that can be typed', () => {
    const text = formatPlan(planWith(STEPS, { summary: 'Plan: it all.' }), false);
    expect(text).toBe(
      [
        'practical',
        '  make the network',
        "    docker network create 'my net'",
        '',
        'a',
        '  create the nodes',
        '    NETWORK=\'x y\' kind --kubeconfig "$STATE/kubeconfigs/a.yaml"',
        '  note',
        `    echo ${'x'.repeat(120)}… (380 more characters: -o wide)`,
        '',
        'b',
        '  wait for it',
        '  read',
        '    kind get',
        '  keep',
        '    (umask 077 && printf \'%s\\n\' "$b_secret" > "$STATE/kubeconfigs/b.yaml")',
        '',
        'Plan: it all.',
      ].join('\n'),
    );
  });

  it('indents every line of a value, and leaves it whole', () => {
    const script = `${'true # '.padEnd(400, 'x')}\nfalse`;
    const step = runStep('a/x', { title: 'try', argv: ['sh', '-c', script] });
    const written = { ...(STEPS[4] as Step & { kind: 'write' }), content: 'kind: A\n\nkind: B' };
    expect(formatPlan(planWith([step, written]), false)).toContain(`    sh -c '${script.replace('\n', '\n    ')}'\n`);
    expect(formatPlan(planWith([written]), false)).toContain(
      "    (umask 077 && printf '%s\\n' 'kind: A\n\n    kind: B' > \"$STATE/kubeconfigs/b.yaml\")",
    );
    const flags = Array.from({ length: 50 }, (_, index) => `--flag-${index}`);
    expect(formatPlan(planWith([runStep('a/y', { argv: flags })]), false)).toContain(flags.join(' '));
  });

  it('shows the input too when it is wide, and cuts nothing', () => {
    const text = formatPlan(planWith(STEPS), true);
    expect(text).toContain("<<'EOF'\n    kind: Cluster\n    nodes: []\n    EOF\n");
    expect(text).toContain('x'.repeat(500));
    expect(text).toContain('wait --for=condition=Ready nodes --all');
  });

  it('has a line for every kind of step', () => {
    const check = { argv: ['true'], expect: 'empty', otherwise: 'stop', message: 'm' } as const;
    const kubeconfig = { ...base, kind: 'kubeconfig', id: 'k', source: FILE, cluster: 'b', owner: 'u' } as const;
    const kinds: readonly Step[] = [
      ...STEPS,
      { ...base, kind: 'check', id: 'c', check },
      { ...kubeconfig, action: 'merge', contexts: ['b', 'kind-b'] },
      { ...kubeconfig, action: 'remove', contexts: ['b', 'kind-b'] },
    ];
    expect(kinds.map((step) => renderStep(step).length > 0)).toEqual(kinds.map(() => true));
    expect(renderStep(kinds.at(-2) as Step)).toEqual(['merge_contexts "$STATE/kubeconfigs/b.yaml" b kind-b']);
    expect(renderStep(kinds.at(-1) as Step)).toEqual([`remove_contexts "\${KUBECONFIG:-$HOME/.kube/config}" b kind-b`]);
  });
});

describe('a table', () => {
  it('is as wide as its widest cells, with two spaces between, and shows what is empty', () => {
    const rows = [
      ['a', '', 'long cell'],
      ['longer', 'x', ''],
    ];
    expect(formatTable(['NAME', 'B', 'C'], rows)).toBe('NAME    B  C\na       -  long cell\nlonger  x  -');
    expect(formatTable(['NAME', 'B'], [])).toBe('NAME  B');
  });
});
