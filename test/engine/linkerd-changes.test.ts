import { afterAll, beforeAll, expect, it } from 'vitest';
import { cluster, EngineLab, run, until } from './engine.ts';
import { ask, CLIENT, describeWithLinkerd, GET, IMAGES, leftOfLinks, mesh, runPods, webServer } from './linkerd-lab.ts';

/** Proxies fetch another certificate after about a minute, so that those of the new issuers are in use before the end. */
const VALUES = 'values: {identity: {issuer: {issuanceLifetime: 80s, clockSkewAllowance: 10s}}}';
const spec = (more = '') => `{group: face, images: [${IMAGES.map((image) => `"${image}"`).join(', ')}]${more}}`;

describeWithLinkerd('a mesh in use', () => {
  let lab: EngineLab;
  const names = ['lkr-east', 'lkr-west'];
  beforeAll(async () => {
    lab = new EngineLab({
      'lab.yaml': `kind: Lab\nmetadata: {name: lkr}\nspec: {mesh: ${mesh(VALUES)}, groups: {face: {mode: flat}}}\n`,
      'east.yaml': cluster('lkr-east', spec()),
      'west.yaml': cluster('lkr-west', spec()),
    });
    const made = await lab.lab('up', lab.dir);
    expect(made.code, made.stderr).toBe(0);
    runPods(lab.at('lkr-west'), webServer('west'), 'web');
    runPods(lab.at('lkr-east'), CLIENT, 'client');
    await until('an answer', 60, () => ask(lab.at('lkr-east'), 'flat-lkr-west').includes('from west'));
  });
  afterAll(() => lab?.remove());

  const inClient = (script: string): string =>
    lab.kubectl('lkr-east', '-n', 'demo', 'exec', 'client', '-c', 'main', '--', 'sh', '-c', script);
  const count = (what: 'good' | 'bad'): number => Number(inClient(`touch /tmp/${what}; wc -c < /tmp/${what}`));
  /** The key of a cluster's issuer, by its identifier. */
  const issuerKey = (name: string): string => {
    const field = 'jsonpath={.data.crt\\.pem}';
    const pem = lab.kubectl(name, '-n', 'linkerd', 'get', 'secret', 'linkerd-identity-issuer', '-o', field);
    const text = run(
      'openssl',
      ['x509', '-noout', '-ext', 'subjectKeyIdentifier'],
      Buffer.from(pem, 'base64').toString(),
    );
    return (text.split('\n').at(-1) ?? '').replaceAll(/[^0-9A-F]/g, '');
  };
  /** The certificate that a proxy shows now, as text. */
  const shown = (name: string, pod: string): string =>
    run('linkerd', ['--kubeconfig', lab.kubeconfig, '--context', name, 'identity', '-n', 'demo', pod]);
  const signedBy = (text: string, key: string): boolean => text.replaceAll(/[\s:]/g, '').toUpperCase().includes(key);

  const pods = [
    { name: 'lkr-east', pod: 'client', manifest: CLIENT },
    { name: 'lkr-west', pod: 'web', manifest: webServer('west') },
  ] as const;
  const inUse = (keys: readonly string[]): boolean =>
    pods.every(({ name, pod }, end) => signedBy(shown(name, pod), keys[end] as string));
  const mustDo = async (...args: readonly string[]): Promise<void> => {
    const outcome = await lab.lab(...args);
    expect(outcome.code, `${args.join(' ')}\n${outcome.stdout}\n${outcome.stderr}`).toBe(0);
  };
  /** Requests while something changes; not one may fail. */
  const underLoad = async (what: string, least: number, change: () => Promise<void>): Promise<void> => {
    // At most fifty a second, from five at once. A proxy answers for a server that it does not reach, so the body counts.
    const once = `[ "$(${GET} http://flat-lkr-west.demo/)" = "hello from west" ] && printf . >> /tmp/good || printf . >> /tmp/bad`;
    inClient(
      `rm -f /tmp/good /tmp/bad; touch /tmp/go; for i in 1 2 3 4 5; do (while [ -e /tmp/go ]; do ${once}; sleep 0.1; done) </dev/null >/dev/null 2>&1 & done`,
    );
    await until('the load flows', 30, () => count('good') > 50);
    await change();
    const then = count('good') + 50;
    await until('the load flows on', 60, () => count('good') > then);
    inClient('rm /tmp/go; sleep 1');
    const [good, bad] = [count('good'), count('bad')];
    process.stderr.write(`requests while ${what}: ${good} good, ${bad} bad\n`);
    expect(bad, what).toBe(0);
    expect(good).toBeGreaterThan(least);
  };

  it('gets other issuers, in use at both ends, without one request that fails', async () => {
    const before = names.map(issuerKey);
    expect(inUse(before)).toBe(true);
    await underLoad('issuers changed', 500, async () => {
      await mustDo('certs', lab.dir, '--rotate', 'issuer');
      await mustDo('linkerd', lab.dir);
      const after = names.map(issuerKey);
      for (const [end, key] of after.entries()) expect(key).not.toBe(before[end]);
      await until('proxies at both ends show certificates of the new issuers', 180, () => inUse(after));
    });
    await mustDo('status', lab.dir, '--exit-code');
  });

  it('gets another trust anchor in three steps, without one request that fails in any', async () => {
    const anchors = (): number =>
      lab
        .kubectl('lkr-west', '-n', 'linkerd', 'get', 'configmap', 'linkerd-identity-trust-roots', '-o', 'yaml')
        .split('BEGIN CERTIFICATE').length - 1;
    const step = async () => {
      await mustDo('certs', lab.dir, '--rotate', 'anchor');
      await mustDo('linkerd', lab.dir);
    };
    const before = names.map(issuerKey);
    await underLoad('a second anchor came to be trusted', 100, step);
    expect([anchors(), names.map(issuerKey)]).toEqual([2, before]);
    // A proxy learns what to trust when it starts; those of both ends do not start at once.
    for (const { name, pod, manifest } of pods.toReversed()) {
      lab.kubectl(name, '-n', 'demo', 'delete', 'pod', pod, '--grace-period=1');
      runPods(lab.at(name), manifest, pod);
      await until('an answer', 60, () => ask(lab.at('lkr-east'), 'flat-lkr-west').includes('from west'));
    }
    await underLoad('the new anchor signed the issuers', 500, async () => {
      await step();
      await until('proxies at both ends show certificates of the new issuers', 180, () => inUse(names.map(issuerKey)));
    });
    await underLoad('the old anchor was trusted no more', 100, step);
    expect(anchors()).toBe(1);
    for (const [end, key] of names.map(issuerKey).entries()) expect(key).not.toBe(before[end]);
  });

  it('says which pod does not come up, and why, while another cluster goes on', async () => {
    const configOf = (name: string) =>
      lab.kubectl(name, '-n', 'linkerd', 'get', 'configmap', 'linkerd-config', '-o', 'yaml');
    lab.write('east.yaml', cluster('lkr-east', spec(', mesh: {values: {proxy: {logLevel: "warn,linkerd=debug"}}}')));
    lab.write('west.yaml', cluster('lkr-west', spec(', mesh: {values: {controllerImageVersion: nowhere}}')));
    const broken = await lab.lab('linkerd', lab.dir, '--timeout', '90s');
    expect(broken.code).toBe(1);
    expect(broken.stderr).toMatch(
      /lkr-west: could not wait for linkerd-\w+[\s\S]*pod linkerd-[\w-]+: container \S+ (ErrImage|ImagePull)/,
    );
    expect(broken.stderr).toMatch(/its last events:\n.*(Failed to pull|Back-off|Pulling) /);
    expect(configOf('lkr-east')).toContain('linkerd=debug');
    lab.write('east.yaml', cluster('lkr-east', spec()));
    lab.write('west.yaml', cluster('lkr-west', spec()));
    await mustDo('linkerd', lab.dir);
    expect(configOf('lkr-east')).not.toContain('linkerd=debug');
    await mustDo('status', lab.dir, '--exit-code');
  });

  it('is linked again by a repair after the nodes came back with the address of the other', async () => {
    const nodes = names.map((name) => `${name}-control-plane`);
    const address = (node: string) =>
      run('docker', ['inspect', '--format', '{{(index .NetworkSettings.Networks "lab-lkr").IPAddress}}', node]);
    const before = nodes.map(address);
    run('docker', ['stop', '-t', '5', ...nodes]);
    // Who starts first gets the lowest address: let it be who had the other one.
    const isFirst = before.toSorted()[0] === before[0];
    for (const node of isFirst ? nodes.toReversed() : nodes) run('docker', ['start', node]);
    expect(nodes.map(address)).toEqual(before.toReversed());
    const repaired = await lab.lab('repair', lab.dir);
    expect(repaired.code, repaired.stderr).toBe(0);
    await until('an answer', 120, () => ask(lab.at('lkr-east'), 'flat-lkr-west').includes('from west'));
    const status = await lab.lab('status', lab.dir, '--exit-code');
    expect(status.code, status.stdout).toBe(0);
  });

  it('has a link made by hand, until it is taken away by hand', async () => {
    const byHand = ['link', lab.dir, '--src', 'lkr-east', '--dst', 'lkr-west', '--mode', 'gateway'];
    lab.write(
      'lab.yaml',
      `kind: Lab\nmetadata: {name: lkr}\nspec: {mesh: ${mesh(VALUES)}, groups: {face: {mode: routes-only}}}\n`,
    );
    for (const args of [['link', lab.dir], byHand]) {
      const made = await lab.lab(...args);
      expect(made.code, made.stderr).toBe(0);
    }
    await until('an answer by the gateway', 60, () => ask(lab.at('lkr-east'), 'gated-lkr-west').includes('from west'));
    expect((await lab.lab('link', lab.dir)).stderr).toContain('nothing to do');
    const removed = await lab.lab(...byHand.slice(0, -2), '--remove');
    expect(removed.code, removed.stderr).toBe(0);
    for (const name of names) expect(leftOfLinks(lab.at(name), ...names), name).toEqual([]);
  });
});
