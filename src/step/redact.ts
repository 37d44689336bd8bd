/**
 * Secrets in text that others wrote: what a failing command said, what a person put into a spec. `lab` itself prints
 * none; this is for what it passes on.
 */

const HIDDEN = '***';

/** Parts of names whose values are secrets. */
const WORDS = 'password|passwd|secret|token|api-?key|private-?key|key-data|credential|auths?|authorization|licen[cs]e';
// Begins where no name goes on: else every letter of a long word would be tried as a beginning.
const NAME = `(?<![\\w.-])[\\w.-]*(?:${WORDS})(?:[-_.][\\w.-]*)?`;
// The second is a quoted text within a quoted text.
const VALUE = `"(?:[^"\\\\]|\\\\.)*"|\\\\"[^"]*"|'[^']*'|[^\\s,;}]+`;

const RULES: readonly (readonly [RegExp, string])[] = [
  // A tail may have lost the end of a key, or its beginning: then it is lines of base64.
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
  [/^[ \t]*[A-Za-z0-9+/]{40,}={0,2}[ \t]*$/gm, HIDDEN],
  // PEM in base64, as kubeconfigs and Secrets carry it.
  [/LS0tLS1CRUdJTi[A-Za-z0-9+/]+={0,2}/g, HIDDEN],
  [/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+/g, HIDDEN],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, `$1 ${HIDDEN}`],
  [/(\w:\/\/)[^/\s@]+@/g, `$1${HIDDEN}@`],
  // `key: value` counts at the start of a line or with a quoted key: elsewhere a colon ends half a sentence.
  [new RegExp(`(^[ \\t]*(?:- )?["']?${NAME}["']?[ \\t]*:[ \\t]+)(?:${VALUE})`, 'gim'), `$1${HIDDEN}`],
  [new RegExp(`(["']${NAME}["']\\s*:\\s*)(?:${VALUE})`, 'gi'), `$1${HIDDEN}`],
  [new RegExp(`(${NAME}["']?[ \\t]*=[ \\t]*)(?:${VALUE})`, 'gi'), `$1${HIDDEN}`],
  [new RegExp(`((?=--)${NAME}\\s+)(?:${VALUE})`, 'gi'), `$1${HIDDEN}`],
];

const SECRET_NAME = new RegExp(`^${NAME}$`, 'i');

/** Text without what looks like a key, a token or a password. */
export const redact = (text: string): string => RULES.reduce((left, [rule, by]) => left.replace(rule, by), text);

/** Data without secrets: `redact` for every text, nothing of what a telling key holds, and no value of an `env`. */
export function redactData(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(redactData);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => {
      if (key === 'env' && typeof held === 'object' && held !== null)
        return [key, Object.fromEntries(Object.keys(held).map((name) => [name, HIDDEN]))];
      return [key, typeof held === 'string' && SECRET_NAME.test(key) ? HIDDEN : redactData(held)];
    }),
  );
}
