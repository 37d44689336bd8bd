/** The candidate that was probably meant: the same but for case, or at most two edits away. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  const most = Math.min(2, Math.floor(wanted.length / 2));
  let best: { candidate: string; edits: number } | undefined;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - wanted.length) > most) continue;
    const edits = countEdits(wanted, candidate.toLowerCase());
    if (edits <= most && (!best || edits < best.edits)) best = { candidate, edits };
  }
  return best?.candidate;
}

/** `did you mean "group"?`, ready to be spread into a problem. */
export function suggest(word: string, candidates: Iterable<string>): { hint?: string } {
  const meant = nearest(word, candidates);
  return meant === undefined ? {} : { hint: `did you mean "${meant}"?` };
}

/** Levenshtein's distance, one row at a time. */
function countEdits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
