import { describe, expect, it, vi } from 'vitest';
import type { Check } from '../../src/lab/checks.ts';
import { runCheck } from '../../src/observe/checks.ts';
import type { Outcome } from '../../src/step/runner.ts';
import { startFakeApi } from '../exec/fake-api.ts';
import { fails, fakeRunner, says } from '../exec/fake-runner.ts';

const CHECK: Check = {
  name: 'shop',
  from: { cluster: 'a', namespace: 'shop', pod: 'web-' },
  request: 'http://emoji/',
  expect: { status: 200, contains: 'west' },
  within: 0,
};

const pod = (name: string, ready = 'True', ip: string | undefined = '10.0.0.7') => ({
  metadata: { name },
  spec: { nodeName: 'a-worker' },
  status: { conditions: [{ type: 'Ready', status: ready }], ...(ip && { podIPs: [{ ip }] }) },
});
const WEB = pod('web-1');
const DNS: unknown = { spec: { clusterIPs: ['10.128.0.10', 'fd00::a'] } };

interface Stage {
  readonly check?: Partial<Check>;
  readonly pods?: unknown;
  readonly dns?: unknown;
  readonly answer?: () => Outcome;
}

async function stage({ check, pods = { items: [WEB] }, dns = DNS, answer = () => says('lab-check 200\nwest') }: Stage) {
  const { kubeconfig } = await startFakeApi((path) => (path === '/api/v1/namespaces/shop/pods' ? pods : dns));
  const { runner, commands } = fakeRunner(answer);
  const result = await runCheck({ ...CHECK, ...check }, { kubeconfig, domain: 'east.example', runner });
  return { result, commands };
}

describe('a check', () => {
  it('asks from the first ready pod whose name begins so, on its node, with the words of its cluster', async () => {
    const items = [pod('emoji-1'), pod('web-0', 'False'), WEB, pod('web-2')];
    const { result, commands } = await stage({ pods: { items } });
    expect(result).toEqual({
      kind: 'check',
      name: 'shop',
      from: 'a/shop/web-',
      request: 'http://emoji/',
      result: 'ok',
    });
    expect(commands.map(({ argv }) => argv)).toEqual([['docker', 'exec', '-i', 'a-worker', 'sh']]);
    expect(commands[0]?.stdin).toMatch(
      /^set -- 10\.0\.0\.7 10\.128\.0\.10 'shop\.svc\.east\.example [^']*' http:\/\/emoji\/\n/,
    );
  });

  it('asks from any pod of the namespace where it names none', async () => {
    const from = { ...CHECK.from, pod: '' };
    expect((await stage({ check: { from }, pods: { items: [pod('emoji-1')] } })).result.result).toBe('ok');
  });

  it.each<[string, Stage, string]>([
    ['no pod is there', { pods: { items: [] } }, 'no pod web-... is ready in namespace shop of a'],
    ['no pod is ready', { pods: { items: [pod('web-1', 'False')] } }, 'no pod web-... is ready in namespace shop of a'],
    ['the cluster has no DNS', { dns: { spec: {} } }, 'a has no service kube-dns'],
    ['the API server says no', { pods: new Error('etcd is away') }, 'the API server of a does not answer: '],
    ['the node is away', { answer: () => fails('first\nNo such container: a-worker') }, 'a-worker: No such container'],
    ['the node says nothing', { answer: () => ({ ...fails(''), failure: 'timeout' }) }, 'a-worker: timeout'],
    ['nothing answers', { answer: () => says('lab-check silent curl: (7) refused') }, 'web-1 got no answer: curl: (7)'],
    [
      'the namespace of the pod is not found',
      { answer: () => says('lab-check lost') },
      'its network namespace was not',
    ],
    ['the status is another', { answer: () => says('lab-check 503\nwest') }, 'web-1 got 503, not 200'],
    ['the answer is another', { answer: () => says('lab-check 200\neast') }, 'web-1 got an answer without "west"'],
  ])('fails when %s', async (_, words, reason) => {
    const { result } = await stage(words);
    expect(result).toMatchObject({ result: 'failed', reason: expect.stringContaining(reason) });
  });

  it('takes any answer with its status where it expects no more', async () => {
    const answer = () => says('lab-check 404\n');
    expect((await stage({ check: { expect: { status: 404 } }, answer })).result.result).toBe('ok');
  });

  it('asks again until what is expected comes', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    let asked = 0;
    const answer = () => {
      vi.advanceTimersByTime(10_000);
      return says(++asked < 2 ? 'lab-check 502\n' : 'lab-check 200\nwest');
    };
    const { result } = await stage({ check: { within: 60 }, answer }).finally(() => vi.useRealTimers());
    expect(result.result).toBe('ok');
    expect(asked).toBe(2);
  });
});
