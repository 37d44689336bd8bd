import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { clusterJsonSchema, type JsonSchema, labJsonSchema, workloadJsonSchema } from '../../src/spec/json-schema.ts';

const SCHEMAS = { cluster: clusterJsonSchema, lab: labJsonSchema, workload: workloadJsonSchema };

describe.each(Object.entries(SCHEMAS))('%s', (name, make) => {
  test('the file in schemas/ is up to date', () => {
    const path = join(import.meta.dirname, `../../schemas/${name}.schema.json`);
    expect(readFileSync(path, 'utf8')).toBe(`${JSON.stringify(make(), null, 2)}\n`);
  });

  test('is draft-07 and explains every key of ours', () => {
    const schema = make();
    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#');
    expect(findUndescribed(schema.properties as Properties, [])).toEqual([]);
  });
});

type Properties = Readonly<Record<string, JsonSchema>>;

/** Paths of the keys without a description; a provider's block has only to say what it is. */
function findUndescribed(properties: Properties, path: readonly string[]): string[] {
  return Object.entries(properties).flatMap(([key, schema]) => {
    const here = [...path, key];
    const below = ['kind', 'k3d'].includes(key) ? {} : ((schema.properties ?? {}) as Properties);
    return [...(schema.description ? [] : [here.join('.')]), ...findUndescribed(below, here)];
  });
}
