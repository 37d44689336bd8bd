import type { Mesh } from './mesh.ts';

/** No mesh: the clusters of a group reach each other's pods, and that is all. */
export const none: Mesh = { name: 'none' };
