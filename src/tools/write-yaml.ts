/** Data as a configuration file holds it. A key without a value is left out. */
type Data = string | number | boolean | null | readonly Data[] | DataMap;
export interface DataMap {
  readonly [key: string]: Data | undefined;
}

/** Words that are no text to one version of YAML or another: kind and kubectl read much of 1.1. */
const NO_TEXT = /^(y|n|yes|no|on|off|true|false|null)$/i;
const WORD = /^(--)?[A-Za-z/][\w./@:,+*=-]*(?<!:)$/;
/** No number, date or time in any version: a list of CIDR blocks, an IPv4 address or a range of them, a duration. */
const DIGITS = /^\d[\da-f.:,/]*\/\d+$|^(\d+\.){3}\d+(-(\d+\.){3}\d+)?$|^\d+[smh]$/;
/** Text of several lines that can stand as it is. */
const BLOCK = /^[!-~].*[!-~]\n?$/s;
const NOT_IN_BLOCK =
  /[^\t\n\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10fffd}]|[\t ]$/mu;
const ESCAPED = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

/**
 * YAML in block style, as the package `yaml` writes it, and many times faster: a plan holds two such texts a cluster.
 * What anything could take for something else than the text it is stands in quotes. Values of users, which may be
 * anything, are written by the package.
 */
export const writeYaml = (data: DataMap): string => `${writeNode(data, '').trimStart()}\n`;

/** A value behind its key or dash: in the same line after a space, or from the next line on. */
function writeNode(data: Data, indent: string): string {
  if (typeof data === 'string') return ` ${writeText(data, indent)}`;
  if (typeof data !== 'object' || data === null) return ` ${data}`;
  const inner = `${indent}  `;
  if (isList(data)) {
    // The first line of a list or a map in a list stands behind the dash.
    const items = data.map((item) => `\n${indent}-${writeNode(item, inner).replace(/^\n +/, ' ')}`);
    return items.join('') || ' []';
  }
  const pairs = Object.entries(data).map(([key, value]) =>
    value === undefined ? '' : `\n${indent}${writeLine(key)}:${writeNode(value, inner)}`,
  );
  return pairs.join('') || ' {}';
}

const isList = (data: readonly Data[] | DataMap): data is readonly Data[] => Array.isArray(data);

function writeText(text: string, indent: string): string {
  if (!text.includes('\n') || !BLOCK.test(text) || NOT_IN_BLOCK.test(text)) return writeLine(text);
  const lines = text.trimEnd().replaceAll(/^(?=.)/gm, indent);
  return `|${text.endsWith('\n') ? '' : '-'}\n${lines}`;
}

function writeLine(text: string): string {
  if ((WORD.test(text) && !NO_TEXT.test(text)) || DIGITS.test(text)) return text;
  return JSON.stringify(text).replaceAll(ESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
