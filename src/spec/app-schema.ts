import * as z from 'zod/mini';
import type { AddonName } from '../addons/addon.ts';
import { ADDONS } from '../addons/index.ts';
import { described } from '../lab/described.ts';
import { labelText, nameText } from './names.ts';

const values = () => described(z._default(z.record(z.string(), z.unknown()), {}), 'Chart values');
const text = () => z.string().check(z.minLength(1), z.regex(/^[^-]/, 'expected something that is not a flag'));

const CHART = 'oci://HOST/PATH, a folder or .tgz (./NAME, from the file that says it), or a name in repo';
const manifests = described(
  z._default(z.array(text()), []),
  'Manifests, applied one after the other: files, from the file that says them, or https URLs',
);

const helm = described(
  z.strictObject({
    chart: described(text(), CHART),
    repo: described(z.optional(text()), 'The repository, an https URL'),
    version: described(z.optional(text()), 'The version; needed unless the chart is a file here'),
    values: values(),
    only: described(
      z._default(z.array(text()), []),
      'Templates of the chart that are taken, such as templates/web.yaml; all when left out',
    ),
  }),
  'A chart, rendered by helm',
);

/** One app of a cluster. */
const app = z.strictObject({
  name: described(z.clone(nameText), 'Name of the app in its cluster; also of the release that the chart is told'),
  namespace: described(z.optional(labelText), "Where it runs; the app's name by default. Made where there is none"),
  inject: described(z._default(z.boolean(), false), "Whether pods of the namespace get Linkerd's proxy"),
  helm: z.optional(helm),
  manifests,
  exports: described(
    z._default(z.record(labelText, z.enum(['flat', 'gateway', 'federated'])), {}),
    'Services that linked clusters see, and how: flat, gateway or federated',
  ),
});

export type AppWords = z.output<typeof app>;

export const apps = described(z._default(z.array(app), []), 'What runs on the cluster, applied in this order');

const addonBlock = z.strictObject({
  manifests,
  chart: described(z.optional(text()), `In place of the chart of lab: ${CHART}`),
  repo: described(z.optional(text()), 'The repository of that chart, an https URL'),
  version: described(z.optional(text()), 'Another version of the chart'),
  values: values(),
});

export type AddonWords = z.output<typeof addonBlock>;

const block = (what: string) => described(z.optional(z.union([addonBlock, z.literal('none')])), what);

const blocks = Object.fromEntries(Object.values(ADDONS).map(({ name, summary }) => [name, block(summary)])) as Record<
  AddonName,
  ReturnType<typeof block>
>;

export const addons = described(
  z._default(
    z.strictObject({
      ...blocks,
      metallb: described(
        z.optional(z.never({ error: 'every cluster has it: spec.loadBalancer of lab.yaml says from which manifest' })),
        'Not here: spec.loadBalancer of lab.yaml',
      ),
    }),
    {},
  ),
  'Things to put on the cluster by name, before its apps: a block each (`{}` for the defaults), or none',
);
