import { Composer, CST, type Document, Lexer, LineCounter, Parser, type YAMLError } from 'yaml';
import type { Problem } from '../errors.ts';
import { shorten } from './show.ts';
import { formatPosition, type Source, type Sourced } from './source.ts';
import { type ReadDocument, readDocument } from './yaml-values.ts';

/** Deeper than any spec; the composer and our own walk are recursive, so this bounds the stack. */
const MAX_DEPTH = 64;
/** After the first, most errors in the syntax of a document only follow from it. */
const MAX_ERRORS = 100;

export interface ParsedYaml {
  readonly documents: readonly Sourced[];
  readonly problems: readonly Problem[];
  /** Whether every document of the file is among `documents`. */
  readonly complete: boolean;
}

/** Reads all documents of a YAML text, with the position of every key and value, and all problems at once. */
export function parseYaml(text: string, file: Pick<Source, 'shown' | 'path'>): ParsedYaml {
  const source: Source = { ...file, lines: new LineCounter() };
  source.lines.addNewLine(0);
  const composed = compose(text, source);
  if ('problem' in composed) return { documents: [], problems: [composed.problem], complete: false };
  const read = composed.documents.map((document): ReadDocument => {
    const errors: YAMLError[] = [...document.errors, ...document.warnings].slice(0, MAX_ERRORS);
    if (errors.length === 0) return readDocument(document, source);
    return {
      problems: errors.map(({ message, pos }) => ({ at: formatPosition(source, pos[0]), message: shorten(message) })),
    };
  });
  return {
    documents: read.flatMap(({ sourced }) => (sourced && sourced.value !== null ? [sourced] : [])),
    problems: read.flatMap(({ problems }) => problems),
    complete: read.every(({ sourced }) => sourced !== undefined),
  };
}

/**
 * What the library's parseAllDocuments does, but it stops as soon as the parser (a loop with a stack of its own)
 * is too deep for the composer (recursive).
 */
function compose(text: string, source: Source): { documents: Document.Parsed[] } | { problem: Problem } {
  const parser = new Parser(source.lines.addNewLine);
  const composer = new Composer({
    // Its check is quadratic in the number of keys; the walk over the values has a linear one.
    uniqueKeys: false,
    merge: false,
    logLevel: 'silent',
    // No key takes a fraction. Without these tags `version: 1.30` is the text that was typed, and not 1.3.
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || tag.tag !== 'tag:yaml.org,2002:float'),
  });
  const documents: Document.Parsed[] = [];
  for (const lexeme of new Lexer().lex(text)) {
    const start = parser.offset;
    for (const token of parser.next(lexeme)) documents.push(...(composer.next(token) as Iterable<Document.Parsed>));
    if (parser.stack.length > MAX_DEPTH && parser.stack.filter(CST.isCollection).length > MAX_DEPTH) {
      return { problem: { at: formatPosition(source, start), message: `nested more than ${MAX_DEPTH} levels deep` } };
    }
  }
  for (const token of parser.end()) documents.push(...(composer.next(token) as Iterable<Document.Parsed>));
  documents.push(...(composer.end() as Iterable<Document.Parsed>));
  return { documents };
}
