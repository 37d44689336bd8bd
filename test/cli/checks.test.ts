/** What a lab says must hold, as `lab verify` asks it, before stubs that answer requests by their URL. */
import { describe, expect, it } from 'vitest';
import { created, expectCode, specs, type World } from './machine.ts';

const POD = (name: string, node: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {nodeName: ${node}}\n`;
const check = (from: string, more = '') =>
  `{name: ${from}, from: ${from}/shop/web-, request: "http://emoji-svc/", within: 0s${more}}`;
const LAB = {
  ...specs(
    {
      a: '{apps: [{name: shop, manifests: [m/a.yml]}]}',
      b: '{provider: k3d, apps: [{name: shop, manifests: [m/b.yml]}]}',
    },
    `{loadBalancer: {addon: none}, checks: [${check('a', ', expect: {contains: west}')}, ${check('b')}]}`,
  ),
  'clusters/m/a.yml': POD('web-1', 'a-control-plane'),
  'clusters/m/b.yml': POD('web-2', 'k3d-b-server-0'),
};
const answers = (world: World, text: string) => world.store.write('answers', 'http://emoji-svc/', text);

describe('lab verify, with checks', () => {
  it('asks from a pod of each cluster and says what came of it', async () => {
    const world = await created(LAB);
    expectCode(await world.lab('apps'), 0);
    answers(world, '200\nhello from west');
    const calls = await world.during(async () => {
      const held = await world.lab('verify');
      expectCode(held, 0);
      expect(held.stdout).toMatch(/CHECKS: .*\n.*\na +a\/shop\/web- +ok +-\nb +b\/shop\/web- +ok +-\n/);
    });
    const asked = calls.filter(({ stdin }) => stdin.includes('lab-check')).map(({ argv }) => argv.join(' '));
    expect(asked.sort()).toEqual(['exec -i a-control-plane sh', 'exec -i k3d-b-server-0 sh']);

    answers(world, '200\nhello from east');
    const other = await world.lab('verify', '-o', 'json');
    expectCode(other, 1);
    expect(JSON.parse(other.stdout)).toMatchObject([
      { kind: 'check', name: 'a', result: 'failed', reason: 'web-1 got an answer without "west"' },
      { kind: 'check', name: 'b', result: 'ok' },
    ]);
  });

  it('fails with the reason where nothing answers, no pod is there, or the cluster does not run', async () => {
    const world = await created(LAB);
    const missing = await world.lab('verify', 'a');
    expectCode(missing, 1);
    expect(missing.stdout).toContain('failed  no pod web-... is ready in namespace shop of a');
    expect(missing.stdout).not.toContain('b/shop');

    expectCode(await world.lab('apps'), 0);
    expectCode(await world.lab('stop', 'b'), 0);
    const silent = await world.lab('verify');
    expectCode(silent, 1);
    expect(silent.stdout).toContain("failed  web-1 got no answer: wget: bad address 'emoji-svc'");
    expect(silent.stdout).toMatch(/b\/shop\/web- +failed +b does not run/);
  });
});
