import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineState, labState, stateRoot } from '../../src/exec/state-directory.ts';
import { makeTemporaryDirectory } from './real-process.ts';

describe('stateRoot', () => {
  it.each([
    [{ XDG_STATE_HOME: '/state', HOME: '/home/a' }, '/state/lab'],
    [{ XDG_STATE_HOME: 'relative', HOME: '/home/a' }, '/home/a/.local/state/lab'],
    [{ XDG_STATE_HOME: '', HOME: '/home/a' }, '/home/a/.local/state/lab'],
  ])('%j is %s', (env, expected) => {
    expect(stateRoot(env)).toBe(expected);
  });
});

describe('state', () => {
  it('is in private directories', async () => {
    const root = join(makeTemporaryDirectory(), 'lab');
    const [lab, engine] = [labState(root, 'uid-1'), engineState(root, 'ABCD:EFGH')];
    await lab.prepare();
    await engine.prepare();
    for (const dir of [root, lab.dir, engine.dir, join(lab.kubeconfig('smiley'), '..')]) {
      expect((statSync(dir).mode & 0o777).toString(8)).toBe('700');
    }
    expect(lab.kubeconfig('smiley')).toBe(join(lab.dir, 'kubeconfigs', 'smiley.yaml'));
  });

  it('stays below its root whatever an engine calls itself', () => {
    expect(engineState('/r', '../../etc').dir).toBe('/r/engines/______etc');
    expect(engineState('/r', '').dir).toBe('/r/engines/_');
  });
});

it('forgets a cluster that is gone, and no other whose name begins the same', async () => {
  const state = labState(makeTemporaryDirectory(), 'uid');
  await state.prepare();
  const kept = ['kubeconfigs/color-b.yaml', 'apps/color-b_faces.kubeconfig', 'linkerd/color-b_values.yaml'];
  const gone = [
    'kubeconfigs/color.yaml',
    'apps/color_b-faces.kubeconfig',
    'apps/color_app_web.yaml',
    'linkerd/color_v.yaml',
  ];
  for (const file of [...kept, ...gone]) writeFileSync(join(state.dir, file), '');
  state.forget('color');
  expect(kept.filter((file) => !existsSync(join(state.dir, file)))).toEqual([]);
  expect(gone.filter((file) => existsSync(join(state.dir, file)))).toEqual([]);
});
