import * as z from 'zod/mini';

const NAME = /^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** The name of a cluster or a lab: also a container's, a context's and a label's, and never a flag. */
export const nameText = z
  .string()
  .check(z.regex(NAME, 'expected at most 32 lower-case letters, digits and dashes, starting with a letter'));

/** The name of a group or a zone. */
export const labelText = z.string().check(z.regex(LABEL, 'expected at most 63 lower-case letters, digits and dashes'));

export const imageText = z
  .string()
  .check(z.maxLength(512), z.regex(/^\w[\w.\-/:@]*$/, 'expected the name of an image, such as registry/name:tag'));

/** A DNS domain; no dot at the end. */
export const domainText = z
  .string()
  .check(
    z.maxLength(253),
    z.regex(
      /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      'expected a domain such as cluster.local',
    ),
  );

export const networkText = z
  .string()
  .check(z.maxLength(128), z.regex(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/, 'expected the name of a Docker network'));

/** A name made from any text; undefined when too little of it is left. */
export function toName(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 32)
    .replace(/-+$/, '');
  return NAME.test(name) ? name : undefined;
}
