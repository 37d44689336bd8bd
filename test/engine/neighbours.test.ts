import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askFromPod, cluster, describeOnEngine, EngineLab, isChanging, READY_SERVICE, run } from './engine.ts';

describeOnEngine('two labs on one engine', () => {
  const labs: EngineLab[] = [];
  afterAll(async () => {
    for (const lab of labs) await lab.remove();
  });

  it('never choose the same range, even when both start at once', async () => {
    labs.push(new EngineLab({ 'lab.yaml': 'kind: Lab\nmetadata: {name: ln-one}\n', 'a.yaml': cluster('ln-a') }));
    labs.push(new EngineLab({ 'lab.yaml': 'kind: Lab\nmetadata: {name: ln-two}\n', 'b.yaml': cluster('ln-b') }));
    // Both count on the engine's lock and its reservations, which live in the state directory.
    for (const lab of labs) lab.env.XDG_STATE_HOME = labs[0]?.env.XDG_STATE_HOME;
    const outcomes = await Promise.all(labs.map((lab) => lab.lab('create', lab.dir, '-o', 'json')));
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    const [a, b] = outcomes.map(({ stdout }) => JSON.parse(stdout).clusters[0]);
    for (const use of ['pods', 'services', 'loadBalancer']) expect(a[use]).not.toEqual(b[use]);
    expect(
      run('docker', [
        'inspect',
        'ln-a-control-plane',
        '--format',
        '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
      ]),
    ).not.toBe(
      run('docker', [
        'inspect',
        'ln-b-control-plane',
        '--format',
        '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
      ]),
    );
  });

  it("does not touch the other's cluster", async () => {
    const [one, two] = labs as [EngineLab, EngineLab];
    two.write('c.yaml', cluster('ln-a'));
    const create = await two.lab('create', two.dir, 'ln-a');
    expect(create.code).toBe(2);
    expect(create.stderr).toContain('belongs to lab ln-one');
    const remove = await two.lab('delete', two.dir, 'ln-a');
    expect(remove.code).toBe(2);
    expect(remove.stderr).toContain('--adopt');
    expect((await one.lab('info', one.dir, '-o', 'json')).stdout).toContain('"state": "ready"');
  });
});

describeOnEngine('a network that somebody else made', () => {
  const network = 'ln-like-kind';
  let lab: EngineLab;

  beforeAll(() => {
    // As kind makes its own: IPv6 named, IPv4 left to Docker. Its entry comes first, without a gateway.
    run('docker', ['network', 'create', '--ipv6', '--subnet', 'fc00:5a:b:c::/64', network]);
    lab = new EngineLab({
      'lab.yaml': `kind: Lab\nmetadata: {name: ln-adopt}\nspec: {network: {adopt: ${network}}}\n`,
      'd.yaml': cluster('ln-d', '{ipFamily: dual}'),
    });
  });
  afterAll(async () => {
    await lab?.remove();
    run('docker', ['network', 'rm', network]);
  });

  it('is used as it is: pools from its top, in both families; and it stays', async () => {
    const created = await lab.lab('create', lab.dir, '-o', 'json');
    expect(created.stderr).not.toContain('Docker network');
    expect(created.code).toBe(0);
    lab.apply('ln-d', READY_SERVICE('IPv4, IPv6'));
    lab.kubectl(
      'ln-d',
      '-n',
      'kube-system',
      'wait',
      'service/ready',
      '--for=jsonpath={.status.loadBalancer.ingress}',
      '--timeout=60s',
    );
    const ingress = JSON.parse(lab.kubectl('ln-d', '-n', 'kube-system', 'get', 'service', 'ready', '-o', 'json')).status
      .loadBalancer.ingress;
    for (const { ip } of ingress as { ip: string }[]) {
      expect(askFromPod('ln-d-control-plane', `http://${ip.includes(':') ? `[${ip}]` : ip}:8181/ready`)).toBe('OK');
    }
    expect((await lab.lab('delete', lab.dir, 'ln-d')).code).toBe(0);
    expect(run('docker', ['network', 'ls', '--format', '{{.Name}}'])).toContain(network);
  });
});

describeOnEngine('the exported script', () => {
  let lab: EngineLab;
  beforeAll(() => {
    lab = new EngineLab({ 'e.yaml': cluster('ln-e', '{zone: zone-e}') });
  });
  afterAll(() => lab?.remove());

  it('makes the same cluster, which lab then knows as its own', async () => {
    const { stdout } = await lab.lab('create', lab.dir, '--dryrun', '-o', 'script');
    const script = `${lab.root}/create.sh`;
    writeFileSync(script, stdout);
    run(
      'sh',
      ['-c', `bash ${script} > ${lab.root}/script.log 2>&1 || { cat ${lab.root}/script.log; exit 1; }`],
      undefined,
      lab.env,
    );
    expect(lab.kubectl('ln-e', 'get', 'nodes', '-o', 'name')).toBe('node/ln-e-control-plane');
    lab.takeCalls();
    const after = await lab.lab('create', lab.dir);
    expect(after.code).toBe(0);
    expect(after.stdout).toMatch(/^ln-e .* ready/m);
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
  });
});
