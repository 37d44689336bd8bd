import { afterAll, beforeAll, expect, it } from 'vitest';
import { readChecks, summariseChecks } from '../../src/tools/linkerd.ts';
import { cluster, EngineLab, isChanging, run, until } from './engine.ts';
import { ask, CLIENT, describeWithLinkerd, IMAGES, leftOfLinks, mesh, runPods, webServer } from './linkerd-lab.ts';

interface Cell {
  readonly kind: string;
  readonly result: string;
  readonly mode?: string;
  readonly seen?: string;
}

/** The real Linkerd on two two-node clusters. */
describeWithLinkerd('Linkerd on two clusters', () => {
  let lab: EngineLab;
  const labFile = (more: string) => `kind: Lab\nmetadata: {name: lkd}\nspec: {mesh: ${mesh()}, ${more}}\n`;
  const names = ['lkd-east', 'lkd-west'];
  beforeAll(async () => {
    const spec = `{group: face, nodes: {workers: 1}, images: [${IMAGES.map((image) => `"${image}"`).join(', ')}]}`;
    lab = new EngineLab({
      'lab.yaml': labFile('groups: {face: {mode: flat}}'),
      'east.yaml': cluster('lkd-east', spec),
      'west.yaml': cluster('lkd-west', spec),
    });
    const made = await lab.lab('up', lab.dir);
    expect(made.code, made.stderr).toBe(0);
  });
  afterAll(() => lab?.remove());

  const words = async (...args: string[]) => {
    const outcome = await lab.lab(...args);
    expect(outcome.code, `${outcome.stdout}${outcome.stderr}`).toBe(0);
    return outcome;
  };
  const cells = async (): Promise<Cell[]> => JSON.parse((await words('verify', lab.dir, '-o', 'json')).stdout);
  /** Every pod with its UID, every workload with its generation. */
  const fingerprint = () => {
    const columns = 'jsonpath={range .items[*]}{.metadata.uid} {.metadata.generation}{"\\n"}{end}';
    return names.map((name) => lab.kubectl(name, 'get', 'pods,deployments', '-A', '-o', columns));
  };

  it('comes up with the lab, and a second run changes nothing', async () => {
    const before = fingerprint();
    lab.takeCalls();
    await words('up', lab.dir);
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
    expect(fingerprint()).toEqual(before);
  });

  it('is verified with the identities that both ends of a request saw', async () => {
    const all = await cells();
    const identity = (name: string) => `${name}.lab-verify-mesh.serviceaccount.identity.linkerd.cluster.local`;
    expect(all.filter(({ kind }) => kind === 'request').map(({ result, seen }) => [result, seen])).toEqual(
      [names, names.toReversed()].map((ends) => ['ok', ends.map(identity).join(' → ')]),
    );
    expect(all.filter(({ result }) => result !== 'ok')).toEqual([]);
  });

  it.each(names)('satisfies `linkerd multicluster check` in %s', (name) => {
    const args = ['--kubeconfig', lab.kubeconfig, '--context', name, 'multicluster', 'check', '-o', 'json'];
    const { failed, warnings, passed } = summariseChecks(readChecks(run('linkerd', args)) ?? []);
    expect({ failed, warnings }).toEqual({ failed: [], warnings: [] });
    expect(passed).toBeGreaterThan(5);
  });

  it('answers a client of the other cluster over a flat link', async () => {
    runPods(lab.at('lkd-west'), webServer('west'), 'web');
    runPods(lab.at('lkd-east'), CLIENT, 'client');
    await until('an answer over the flat link', 60, () =>
      ask(lab.at('lkd-east'), 'flat-lkd-west').includes('from west'),
    );
    await words('status', lab.dir, '--exit-code');
  });

  it('answers by a gateway where the link says so', async () => {
    lab.write('lab.yaml', labFile('links: [{from: lkd-east, to: lkd-west, mode: gateway}]'));
    await words('link', lab.dir);
    await until('an answer by the gateway', 60, () => ask(lab.at('lkd-east'), 'gated-lkd-west').includes('from west'));
    lab.takeCalls();
    await words('link', lab.dir);
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
  });

  it('is verified by the gateway, too', async () => {
    const all = await cells();
    expect(all.filter(({ mode }) => mode === 'gateway').map(({ kind, result }) => [kind, result])).toEqual([
      ['anchors', 'ok'],
      ['issuer', 'ok'],
      ['link', 'ok'],
      ['request', 'ok'],
    ]);
    expect(all.filter(({ result }) => result !== 'ok')).toEqual([]);
  });

  it('loses a value that leaves the spec, and what came with it', async () => {
    const budgets = () => lab.kubectl('lkd-east', '-n', 'linkerd', 'get', 'poddisruptionbudgets', '-o', 'name');
    const values = 'mesh: {values: {enablePodDisruptionBudget: true, proxy: {logLevel: "warn,linkerd=debug"}}}';
    const spec = (more: string) =>
      cluster(
        'lkd-east',
        `{group: face, nodes: {workers: 1}, images: [${IMAGES.map((image) => `"${image}"`).join(', ')}]${more}}`,
      );
    const given = () => lab.kubectl('lkd-east', '-n', 'linkerd', 'get', 'configmap', 'linkerd-config', '-o', 'yaml');
    lab.write('east.yaml', spec(`, ${values}`));
    await words('linkerd', lab.dir, 'lkd-east');
    expect(budgets()).toContain('linkerd-identity');
    expect(given()).toContain('linkerd=debug');
    lab.write('east.yaml', spec(''));
    await words('linkerd', lab.dir, 'lkd-east');
    expect(budgets()).toBe('');
    expect(given()).not.toContain('linkerd=debug');
    lab.takeCalls();
    await words('linkerd', lab.dir);
    expect(lab.takeCalls().filter(isChanging)).toEqual([]);
  });

  it('unites services where the group says so', async () => {
    lab.write('lab.yaml', labFile('groups: {face: {mode: federated}}'));
    // One member by name: it is joined with the rest of its group.
    await words('group', lab.dir, 'lkd-east');
    await until('an answer of the united service', 60, () =>
      ask(lab.at('lkd-east'), 'united-federated').includes('from west'),
    );
    expect((await cells()).filter(({ result }) => result !== 'ok')).toEqual([]);
  });

  it('leaves nothing when the links go', async () => {
    lab.write('lab.yaml', labFile('groups: {face: {mode: routes-only}}'));
    await words('link', lab.dir);
    for (const name of names) expect(leftOfLinks(lab.at(name), ...names), name).toEqual([]);
  });
});
