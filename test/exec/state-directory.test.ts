import { statSync } from 'node:fs';
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
