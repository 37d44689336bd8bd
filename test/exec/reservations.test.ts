import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { identifySelf } from '../../src/exec/process-identity.ts';
import { readReservations, releaseReservations, reserve } from '../../src/exec/reservations.ts';
import { makeTemporaryDirectory } from './real-process.ts';

const self = identifySelf();
const pods = { cidr: '10.1.0.0/16', use: 'pods of smiley' };
const port = { port: 20_100, use: 'API server of smiley' };
const services = { cidr: '10.2.0.0/16', use: 'services of smiley' };

describe('reservations', () => {
  it('last until they are given back', async () => {
    const file = join(makeTemporaryDirectory(), 'reservations.json');
    expect(readReservations(file)).toEqual([]);
    await reserve(file, self, 'u1', 'one', [services]);
    await reserve(file, self, 'u1', 'one', [pods, services]);
    await reserve(file, self, 'u2', 'two', [pods, port]);
    expect(readReservations(file)).toEqual([
      { uid: 'u1', lab: 'one', ...pods },
      { uid: 'u1', lab: 'one', ...services },
      { uid: 'u2', lab: 'two', ...pods },
      { uid: 'u2', lab: 'two', ...port },
    ]);
    expect((statSync(file).mode & 0o777).toString(8)).toBe('600');
    await releaseReservations(file, self);
    expect(readReservations(file)).toEqual([]);
  });

  it('end with the process that made them', async () => {
    const file = join(makeTemporaryDirectory(), 'reservations.json');
    await reserve(file, { ...self, startedAt: '1' }, 'u1', 'one', [pods]);
    expect(readReservations(file)).toEqual([]);
  });

  it.each(['', '{', 'null', '{}', '[1, null, {"uid": "u"}]'])('are none in a broken file: %j', async (text) => {
    const file = join(makeTemporaryDirectory(), 'reservations.json');
    writeFileSync(file, text);
    expect(readReservations(file)).toEqual([]);
    await reserve(file, self, 'u1', 'one', [pods]);
    expect(readReservations(file)).toHaveLength(1);
  });
});
