import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { COLLECT, parseAnswers, parseFlows, probeScript, WATCH } from '../../src/tools/probe.ts';

const probe = (id: number) => ({
  id,
  node: 'n',
  pod: '10.1.0.2',
  address: 'fd00::9',
  port: 20_000 + id,
  arrivesOn: ['m'],
});

describe('probes', () => {
  it('are scripts that a POSIX shell understands', () => {
    const lookup = { id: 7, node: 'n', pod: '10.1.0.2', server: '10.96.0.10', name: "it's" };
    const script = probeScript(
      Array.from({ length: 40 }, (_, id) => probe(id)),
      [lookup],
    );
    for (const text of [script, WATCH, COLLECT]) execFileSync('sh', ['-n'], { input: text });
    expect(script).toContain("ask p3 10.1.0.2 '[fd00::9]:20003' 1 &");
    expect(script).toContain(`look l7 10.1.0.2 10.96.0.10 'it'\\''s' &`);
  });

  it('ask no more than 32 at once', () => {
    const script = probeScript(
      Array.from({ length: 70 }, (_, id) => probe(id)),
      [],
    );
    expect(script.split('\nwait\n').map((part) => part.match(/^ask p/gm)?.length ?? 0)).toEqual([32, 32, 6, 0]);
  });

  it('are read by their ids, and noise is not', () => {
    expect([...parseAnswers('p0 answered\np1 refused\nwhat\nl2 silent\np3 lost\np4 maybe\n')]).toEqual([
      ['p0', 'answered'],
      ['p1', 'refused'],
      ['l2', 'silent'],
      ['p3', 'lost'],
    ]);
  });

  it('are seen to arrive by the address they had before anything replaced it', () => {
    const text = `    [NEW] tcp      6 120 SYN_SENT src=10.2.0.7 dst=10.1.0.5 sport=41782 dport=20003 [UNREPLIED] src=10.1.0.5 dst=10.2.0.7 sport=20003 dport=41782
    [NEW] tcp      6 120 SYN_SENT src=fd00:1ab::2 dst=fd00::5 sport=1 dport=80 [UNREPLIED] src=fd00::5 dst=fd00:1ab::2 sport=80 dport=1
conntrack v1.4.7 (conntrack-tools): 2 flow events have been shown.`;
    expect(parseFlows(text)).toEqual([
      { source: '10.2.0.7', destination: '10.1.0.5', port: 20_003 },
      { source: 'fd00:1ab::2', destination: 'fd00::5', port: 80 },
    ]);
  });
});
