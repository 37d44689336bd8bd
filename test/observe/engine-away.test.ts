import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EnvironmentError } from '../../src/errors.ts';
import { missingTools, observeEngine } from '../../src/observe/engine.ts';
import type { Outcome } from '../../src/step/runner.ts';
import { fails } from '../exec/fake-runner.ts';
import { toolOutput } from '../tools/fixture.ts';
import { fakeEngine } from './fake-engine.ts';

const MISSING: Outcome = { exitCode: undefined, stdout: '', stderr: '', failure: 'missing' };
const away = (stderr: string): Outcome => ({ ...fails(stderr), stdout: toolOutput('docker-28.5/info-away.json') });

async function missingWith(info: Outcome) {
  const { runner, lines } = fakeEngine({ answers: { info } });
  const { engine, missing, networks, containers } = await observeEngine(runner, ['x:1']);
  expect([engine, networks, containers]).toEqual([undefined, [], []]);
  expect(lines()).toHaveLength(3);
  return missing;
}

describe('an engine that is away', () => {
  const start = 'start Docker (sudo systemctl start docker, or Docker Desktop), or choose another: docker context ls';

  it('has no client here', async () => {
    expect(await missingWith(MISSING)).toEqual({
      engine: true,
      what: 'docker is not on the PATH',
      hint: 'install it: https://docs.docker.com/engine/install/',
    });
  });

  it('does not answer, and where', async () => {
    expect(await missingWith(away(toolOutput('docker-28.5/info-away.stderr')))).toEqual({
      engine: true,
      what: 'no Docker engine answers at unix:///var/run/absent.sock',
      hint: start,
    });
    const remote = 'Cannot connect to the Docker daemon at tcp://192.0.2.1:2375. Is the docker daemon running?';
    expect(await missingWith(away(remote))).toMatchObject({
      what: 'no Docker engine answers at tcp://192.0.2.1:2375',
    });
  });

  it('does not let this user in', async () => {
    expect(await missingWith(away(toolOutput('docker-28.5/info-denied.stderr')))).toEqual({
      engine: true,
      what: 'Docker does not let this user in (unix:///var/run/docker.sock)',
      hint: 'sudo usermod -aG docker "$USER" && newgrp docker   # or: docker context ls',
    });
  });

  it.each<[string, Outcome]>([
    ['takes too long', { ...fails(''), failure: 'timeout' }],
    ['answers half a sentence', { ...fails(''), stdout: '{"ID":"6e41', failure: 'timeout' }],
    ['answers something else', { exitCode: 0, stdout: 'Client: podman\n', stderr: '' }],
    ['has the same program name but is none', { exitCode: 0, stdout: '{"host":{},"version":{}}', stderr: '' }],
    ['answers before the time limit, and ends after it', { ...fails(''), stdout: toolOutput('docker-28.5/info.json') }],
  ])('is not taken for one when it %s', async (_, info) => {
    expect(await missingWith(info)).toEqual({ engine: true, what: 'no Docker engine answers', hint: start });
  });

  it.each(['network ls', 'ps -a'])('stops the command when it goes away in the midst: %s', async (words) => {
    const { runner } = fakeEngine({ answers: { [words]: fails('Error: boom\nCannot connect') } });
    const error = await observeEngine(runner, []).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(EnvironmentError);
    expect(error).toMatchObject({ message: 'Docker stopped answering: Cannot connect' });
  });
});

describe('tools', () => {
  it('are looked up on the PATH, without starting them', () => {
    const dir = mkdtempSync(join(tmpdir(), 'lab-path-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    for (const [folder, tool] of [
      ['a', 'kind'],
      ['b', 'kubectl'],
    ] as const) {
      mkdirSync(join(dir, folder));
      writeFileSync(join(dir, folder, tool), 'exit 1');
      chmodSync(join(dir, folder, tool), 0o755);
    }
    const path = [join(dir, 'a'), '', join(dir, 'none'), join(dir, 'b')].join(delimiter);
    expect(missingTools(['kubectl', 'kind'], path)).toEqual([]);
    expect(missingTools(['kind', 'k3d', 'other'], join(dir, 'b'))).toEqual([
      {
        what: 'kind is not on the PATH',
        hint: 'install it: https://kind.sigs.k8s.io/docs/user/quick-start/#installation',
      },
      { what: 'k3d is not on the PATH', hint: 'install it: https://k3d.io/#installation' },
      { what: 'other is not on the PATH', hint: 'install it: other' },
    ]);
    expect(missingTools(['kubectl'], '')).toHaveLength(1);
  });
});
