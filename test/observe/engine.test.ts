import { describe, expect, it } from 'vitest';
import { observeEngine } from '../../src/observe/engine.ts';
import type { Runner } from '../../src/step/runner.ts';

/** An engine that knows these images, as `docker image inspect` shows them. */
const engineWith = (images: readonly object[]): Runner => ({
  run: async ({ argv }) => {
    const stdout =
      argv[1] === 'info' ? '{"ID":"E","ServerVersion":"28.0.0"}' : argv[1] === 'image' ? JSON.stringify(images) : '';
    return { exitCode: 0, stdout, stderr: '' };
  },
});

describe('an image that the engine holds', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const held = [
    { Id: 'sha256:1', RepoTags: ['kindest/node:v1.34.0'], RepoDigests: [`kindest/node@${digest}`] },
    { Id: 'sha256:2', RepoTags: ['alpine:latest'], RepoDigests: [] },
    { Id: 'sha256:3', RepoTags: [], RepoDigests: [`localhost:5000/x@${digest}`] },
  ];

  it.each([
    ['kindest/node:v1.34.0', 'sha256:1'],
    [`kindest/node@${digest}`, 'sha256:1'],
    [`kindest/node:v1.34.0@${digest}`, 'sha256:1'],
    [`docker.io/kindest/node:v1.34.0@${digest}`, 'sha256:1'],
    ['docker.io/library/alpine', 'sha256:2'],
    [`localhost:5000/x:dev@${digest}`, 'sha256:3'],
    [`localhost:5000/x@${digest}`, 'sha256:3'],
    ['kindest/node:v1.33.0', undefined],
  ])('is known by any of its names: %s', async (image, id) => {
    const { images } = await observeEngine(engineWith(held), [image]);
    expect(images).toEqual(id === undefined ? {} : { [image]: id });
  });
});
